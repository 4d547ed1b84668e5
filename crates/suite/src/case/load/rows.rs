//! Data files of `for-each`: the rows of a CSV file, of JSON lines or of a JSON array, each cell by its column.
//!
//! It must not know what a case does with them.

use std::path::Path;

use serde_json::{Map, Value};

use crate::contract::file_error::FileError;
use crate::contract::text::counted;

/// Most rows of a file: each is read as a step or a case of its own.
const MOST_ROWS: usize = 10_000;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Text without a type: of CSV, or the value of a variable.
    Text(String),
    /// A value with its type.
    Typed(Value),
}

/// The rows of a data file.
#[derive(Debug)]
pub(super) struct Rows {
    /// The file as the user knows it.
    pub file: String,
    /// Names of columns, in order.
    pub columns: Vec<String>,
    /// The rows, never none.
    pub list: Vec<Row>,
}

/// A row, and where it stands.
#[derive(Debug)]
pub(super) struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// Cells by column.
    cells: Vec<(String, Cell)>,
}

impl Row {
    /// What stands in a column.
    pub fn cell(&self, column: &str) -> Option<&Cell> {
        self.cells.iter().find(|(name, _)| name == column).map(|(_, cell)| cell)
    }
}

impl Rows {
    /// Reads a data file; its ending says what it holds.
    pub fn read(path: &Path, file: &str) -> Result<Rows, FileError> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let read = match ending.as_deref() {
            Some("csv") => csv,
            Some("jsonl" | "ndjson") => lines,
            Some("json") => array,
            _ => {
                return Err(FileError::new(file, "not a data file that `for-each` reads")
                    .expected("a file that ends in .csv, .jsonl, .ndjson or .json"));
            }
        };
        let bytes = std::fs::read(path).map_err(|e| {
            FileError::new(file, e.to_string()).expected("a readable file beside the case file")
        })?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
            let line = before.split(|b| *b == b'\n').count() as u64;
            FileError::new(file, "it is not UTF-8").at(line, 1).expected("UTF-8 text")
        })?;
        let rows = read(file, text.trim_start_matches('\u{feff}'))?;
        if rows.list.is_empty() {
            return Err(FileError::new(file, "it has no row").expected("at least one row of data"));
        }
        if rows.list.len() > MOST_ROWS {
            let found = format!("it has {} rows", rows.list.len());
            return Err(FileError::new(file, found).expected(format!(
                "at most {MOST_ROWS} rows; `generate` makes as many batches as you like"
            )));
        }
        Ok(rows)
    }
}

/// RFC 4180: the first record names the columns; texts in quotes may hold commas, line ends and doubled quotes.
fn csv(file: &str, text: &str) -> Result<Rows, FileError> {
    let mut records = records(file, text)?.into_iter();
    let columns: Vec<String> = records
        .next()
        .map(|(_, names)| names.into_iter().map(|name| name.trim().to_owned()).collect())
        .unwrap_or_default();
    for (at, column) in columns.iter().enumerate() {
        check_name(file, column, 1)?;
        if columns[..at].contains(column) {
            return Err(FileError::new(file, format!("the column `{column}` stands twice"))
                .at(1, 1)
                .expected("each column once"));
        }
    }
    let mut rows = Vec::new();
    for (line, cells) in records {
        if cells.len() != columns.len() {
            let found = format!("this row has {}", counted(cells.len() as u64, "cell"));
            return Err(FileError::new(file, found).at(line, 1).expected(format!(
                "{}, as the first line names columns: {}",
                columns.len(),
                columns.join(", ")
            )));
        }
        let cells = columns.iter().cloned().zip(cells.into_iter().map(Cell::Text)).collect();
        rows.push(Row { line, cells });
    }
    Ok(Rows { file: file.to_owned(), columns, list: rows })
}

/// Records with the lines on which they begin; empty lines are none.
fn records(file: &str, text: &str) -> Result<Vec<(u64, Vec<String>)>, FileError> {
    let mut records = Vec::new();
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let (mut line, mut begun) = (1, 1);
    let mut quoted = None;
    let mut closed = false;
    let mut chars = text.chars().peekable();
    loop {
        let next = chars.next();
        line += u64::from(next == Some('\n'));
        match next {
            Some('"') if quoted.is_some() && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            Some('"') if quoted.is_some() => (quoted, closed) = (None, true),
            Some(c) if quoted.is_some() => cell.push(c),
            Some('"') if cell.is_empty() && !closed => quoted = Some(line),
            Some(',') => {
                cells.push(std::mem::take(&mut cell));
                closed = false;
            }
            Some('\r') if chars.peek() == Some(&'\n') => {}
            None if quoted.is_some() => {
                return Err(FileError::new(file, "a quoted text does not end")
                    .at(quoted.unwrap_or(line), 1)
                    .expected("a closing quote; a quote inside a text is doubled"));
            }
            Some('\n') | None => {
                let is_empty = cells.is_empty() && cell.trim().is_empty() && !closed;
                cells.push(std::mem::take(&mut cell));
                let record = std::mem::take(&mut cells);
                if !is_empty {
                    records.push((begun, record));
                }
                (closed, begun) = (false, line);
                if next.is_none() {
                    return Ok(records);
                }
            }
            Some(c) if closed => {
                return Err(FileError::new(file, format!("`{c}` after a quoted text"))
                    .at(line, 1)
                    .expected("a comma or the end of the line; a quote inside a text is doubled"));
            }
            Some(c) => cell.push(c),
        }
    }
}

/// An object a line.
fn lines(file: &str, text: &str) -> Result<Rows, FileError> {
    let mut rows = Rows { file: file.to_owned(), columns: Vec::new(), list: Vec::new() };
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = at as u64 + 1;
        let value: Value = serde_json::from_str(line).map_err(|e| {
            let found =
                format!("not JSON: {}", e.to_string().split(" at line").next().unwrap_or(""));
            FileError::new(file, found)
                .at(number, e.column() as u64)
                .expected("an object on each line")
        })?;
        rows.add(number, value)?;
    }
    Ok(rows)
}

/// An array of objects.
fn array(file: &str, text: &str) -> Result<Rows, FileError> {
    let mut rows = Rows { file: file.to_owned(), columns: Vec::new(), list: Vec::new() };
    let values: Vec<Value> = serde_json::from_str(text).map_err(|e| {
        let found = e.to_string().split(" at line").next().unwrap_or("").to_owned();
        FileError::new(file, found)
            .at(e.line() as u64, e.column() as u64)
            .expected("an array of objects")
    })?;
    values.into_iter().try_for_each(|value| rows.add(1, value))?;
    Ok(rows)
}

impl Rows {
    fn add(&mut self, line: u64, value: Value) -> Result<(), FileError> {
        let Value::Object(map) = value else {
            return Err(FileError::new(&*self.file, format!("a row is {value}"))
                .at(line, 1)
                .expected("an object, its keys the columns"));
        };
        self.add_object(line, map)
    }

    fn add_object(&mut self, line: u64, map: Map<String, Value>) -> Result<(), FileError> {
        for column in map.keys() {
            if !self.columns.contains(column) {
                check_name(&self.file, column, line)?;
                self.columns.push(column.clone());
            }
        }
        let cells = map.into_iter().map(|(name, value)| (name, Cell::Typed(value))).collect();
        self.list.push(Row { line, cells });
        Ok(())
    }
}

/// Names that mean something else in `${…}`.
const TAKEN: [&str; 7] = ["fresh", "item", "path", "host", "token", "length", "chunk"];

fn check_name(file: &str, column: &str, line: u64) -> Result<(), FileError> {
    let wrong = |found: String| FileError::new(file, found).at(line, 1);
    if TAKEN.contains(&column) {
        let found =
            format!("a column is called `{column}`, and ${{{column}}} means something else");
        return Err(wrong(found).expected("another name"));
    }
    if column.is_empty()
        || column.contains(['}', '{', '|', ':', '/', '.', '@', '$', '"', '\'', '\n'])
    {
        return Err(wrong(format!("a column is called `{column}`"))
            .expected("a name of letters, digits, spaces, `-` and `_`"));
    }
    Ok(())
}

/// Whether `${NAME}` means something else than a column.
pub(super) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(u64, Vec<String>)> {
        records("d.csv", text).unwrap()
    }

    #[test]
    fn csv_holds_commas_quotes_and_line_ends_in_quotes() {
        let read = cells("a,b\r\n\"1,\"\"2\"\"\",\"x\ny\"\r\n\r\n,\"\"\n3,4");
        assert_eq!(read[0], (1, vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read[1], (2, vec!["1,\"2\"".to_owned(), "x\ny".to_owned()]));
        assert_eq!(read[2], (5, vec![String::new(), String::new()]));
        assert_eq!(read[3], (6, vec!["3".to_owned(), "4".to_owned()]));
        assert!(records("d.csv", "a\n\"b").is_err());
        assert!(records("d.csv", "a\n\"b\"c").is_err());
    }
}

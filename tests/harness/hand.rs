//! A tiny server written by hand: it answers as a test says, and keeps what it was sent.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// `HTTP/1.1`.
    pub version: String,
    /// Header lines; names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Which connection it came on.
    pub connection: usize,
}

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The items of a batch; none where it is none.
    pub fn items(&self) -> Vec<Value> {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body["accountBalances"].as_array().cloned())
            .unwrap_or_default()
    }
}

/// What is answered.
pub struct Said {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Said {
    pub fn json(status: u16, body: &Value) -> Said {
        Said { status, headers: Vec::new(), body: body.to_string() }
    }
}

/// A server that runs as long as the test does.
pub struct Hand {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Hand {
    pub fn start(answer: impl Fn(&Heard) -> Said + Send + Sync + 'static) -> Hand {
        Hand::speaking("http", Some, answer)
    }

    /// One that speaks through what `wrap` makes of a connection; nothing hangs up.
    pub fn speaking<S: Read + Write>(
        scheme: &str,
        wrap: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
        answer: impl Fn(&Heard) -> Said + Send + Sync + 'static,
    ) -> Hand {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (keep, answer, wrap) = (Arc::clone(&heard), Arc::new(answer), Arc::new(wrap));
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let (keep, answer) = (Arc::clone(&keep), Arc::clone(&answer));
                let wrap = Arc::clone(&wrap);
                std::thread::spawn(move || {
                    let Some(stream) = wrap(stream) else { return };
                    let _ = serve(stream, connection, &keep, answer.as_ref());
                });
            }
        });
        Hand { url, heard }
    }

    /// What came in so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(
    stream: impl Read + Write,
    connection: usize,
    keep: &Mutex<Vec<Heard>>,
    answer: &dyn Fn(&Heard) -> Said,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(heard) = read(&mut reader)? {
        let heard = Heard { connection, ..heard };
        keep.lock().unwrap().push(heard.clone());
        let said = answer(&heard);
        let mut text =
            format!("HTTP/1.1 {} Said\r\nContent-Type: application/json\r\n", said.status);
        for (name, value) in &said.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{}", said.body.len(), said.body);
        reader.get_mut().write_all(text.as_bytes())?;
        reader.get_mut().flush()?;
    }
    Ok(())
}

/// The next request of a connection, where there is one.
pub fn read(reader: &mut BufReader<impl Read>) -> std::io::Result<Option<Heard>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let method = words.next().unwrap_or("").to_owned();
    let path = words.next().unwrap_or("").to_owned();
    let version = words.next().unwrap_or("").trim_end().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut heard = Heard { method, path, version, headers, body: Vec::new(), connection: 0 };
    if heard.header("transfer-encoding") == Some("chunked") {
        while let Some(chunk) = chunk(reader)? {
            heard.body.extend(chunk);
        }
    } else {
        let length = heard.header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
        heard.body = vec![0; length];
        reader.read_exact(&mut heard.body)?;
    }
    Ok(Some(heard))
}

/// The next chunk of a body; none after the last one.
fn chunk(reader: &mut BufReader<impl Read>) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let size = usize::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
    let mut bytes = vec![0; size + 2];
    reader.read_exact(&mut bytes)?;
    bytes.truncate(size);
    Ok((size > 0).then_some(bytes))
}

/// A well-formed 200 that gives every item the same verdict, with these fields beside it.
pub fn verdicts(heard: &Heard, verdict: &str, further: &Value) -> Said {
    let results: Vec<Value> = heard
        .items()
        .iter()
        .map(|item| {
            let mut result = json!({
                "resultType": verdict,
                "communicationNumber": item["communicationNumber"],
                "accountExtId": item["accountExtId"],
                "timeElapsedMs": 0,
            });
            if let Some(unit) = item.get("businessUnit") {
                result["businessUnit"] = unit.clone();
            }
            for (name, value) in further.as_object().into_iter().flatten() {
                result[name] = value.clone();
            }
            result
        })
        .collect();
    Said::json(200, &json!({ "results": results, "timeElapsedMs": 0 }))
}

//! The options of commands that send nothing: they list, explain, sample, report.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
#[group(multiple = false)]
pub struct ListArgs {
    /// Shipped cases (the default).
    #[arg(long)]
    pub cases: bool,
    /// Rules.
    #[arg(long)]
    pub rules: bool,
    /// Mutations that case files can name.
    #[arg(long)]
    pub mutations: bool,
    /// Faults of the reference server.
    #[arg(long)]
    pub faults: bool,
}

#[derive(Args)]
pub struct ExplainArgs {
    /// Id of a rule (UNIQUE-001), interpretation, mutation, case or fault, or a family (UNIQUE).
    pub id: String,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
}

#[derive(Args)]
pub struct SampleArgs {
    /// A case file, or an id of `batchproof list`: print the requests that it would send.
    #[arg(value_name = "CASE", required_unless_present = "schema", conflicts_with = "schema")]
    pub case: Option<String>,
    /// A JSON Schema, or a document of OpenAPI 3.0 to 3.2 or Swagger 2.0: print values of a schema in it.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// JSON pointer to the schema, such as /components/schemas/Item [default: the whole file].
    #[arg(long, value_name = "P", requires = "schema")]
    pub pointer: Option<String>,
    /// Values, or executions of the case [default: 10 values, 1 execution].
    #[arg(short = 'n', value_name = "N")]
    pub count: Option<u64>,
    /// Print also every value that breaks the schema, with the pointer and the keyword that it breaks.
    #[arg(long, requires = "schema")]
    pub mutations: bool,
    /// Seed of all generated values [default: a random one, printed].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR", conflicts_with = "schema")]
    pub contract: Option<PathBuf>,
    /// Profile of the target (YAML).
    #[arg(long, value_name = "F", conflicts_with = "schema")]
    pub profile: Option<PathBuf>,
}

#[derive(Args)]
pub struct DocsArgs {
    /// The manual's source directory, such as docs/src.
    pub dir: PathBuf,
}

#[derive(Args)]
pub struct ReportArgs {
    /// Report directories, or their record.jsonl: of one run, to write its reports again; of all
    /// parts of a run, to merge them; of two runs of a target, to see what is new, fixed or still
    /// there; of several targets, for a matrix.
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Directory for the output [default: for one run, its own directory; for a comparison, only
    /// the terminal; else reports].
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
    /// What to print on standard output, of one run or of the merged parts of one.
    #[command(flatten)]
    pub output: super::OutputArgs,
}

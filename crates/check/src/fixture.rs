//! What tests of the two ways to judge a plain batch share: a contract, a generator, and the right answer.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::FastPath;
use crate::case::{Credential, Framing};
use crate::contract::{Contract, Profile};
use crate::exchange::Request;
use crate::generate::{Generator, KeyBlock, KeyGenerator, Stream, TextSpan};

/// What stands ready.
pub(super) struct Fixture {
    pub contract: Arc<Contract>,
    pub generator: Generator,
    pub keys: Arc<KeyGenerator>,
    pub fast_path: FastPath,
    pub profile: Profile,
}

pub(super) static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let contract = Arc::new(Contract::shipped().unwrap());
    let generator = Generator::new(Arc::clone(&contract), &Profile::default()).unwrap();
    let keys = Arc::new(KeyGenerator::fitting("bptest-261122-k3x9qz", &contract));
    let fast_path = FastPath::of(&contract).unwrap();
    Fixture { contract, generator, keys, fast_path, profile: Profile::default() }
});

/// The body of a batch of plain items, whether all are beyond doubt, and the places of their echoed values.
pub(super) fn body_of(
    mut stream: Stream<'_>,
    numbers: &mut KeyBlock,
) -> (Vec<u8>, bool, Vec<TextSpan>) {
    let (mut body, mut places) = ("{\"accountBalances\":[".to_owned(), Vec::new());
    let mut all = true;
    while let Some(certain) = stream.write(&mut body, numbers, &mut places) {
        all &= certain;
        body.push_str(if stream.left() > 0 { "," } else { "" });
    }
    body.push_str("]}");
    (body.into_bytes(), all, places)
}

/// The right answer to a batch.
pub(super) fn right(body: &[u8]) -> Value {
    let sent: Value = serde_json::from_slice(body).unwrap();
    let results: Vec<Value> = sent["accountBalances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let mut result = json!({ "resultType": "REQUEST_ACCEPTED" });
            for name in &FIXTURE.contract.batch.echo {
                if let Some(value) = item.get(name) {
                    result[name] = value.clone();
                }
            }
            result["timeElapsedMs"] = json!(0);
            result
        })
        .collect();
    json!({ "results": results, "timeElapsedMs": 1 })
}

/// A plain request that has no body yet.
pub(super) fn request() -> Request {
    Request {
        method: "POST".to_owned(),
        path: FIXTURE.contract.operation.path.clone(),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        credential: Credential::Good,
        body: None,
        framing: Framing::Sized,
        hang_up: None,
        new_connection: false,
        trace: None,
        raw: None,
    }
}

/// The head of a plain answer.
pub(super) fn headers() -> Vec<(String, String)> {
    vec![("content-type".to_owned(), "application/json".to_owned())]
}

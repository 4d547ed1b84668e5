//! A scenario from what a record kept of a finding, for when its case is gone.

use super::{BatchText, Scenario, ScenarioRequest};
use crate::case::Framing;
use crate::contract::{Contract, unhex};
use crate::exchange::REDACTED;
use crate::exchange::Request;
use crate::generate::KeyPrefixes;
use crate::record::{BodyRecord, ExchangeRecord, RunHead};

impl Scenario {
    /// From the exchanges that a record kept.
    ///
    /// # Errors
    /// Why they can't be sent again.
    pub fn of_record(
        contract: &Contract,
        head: &RunHead,
        records: &[ExchangeRecord],
    ) -> Result<Scenario, String> {
        let requests: Vec<ScenarioRequest> =
            records.iter().map(|r| recorded(contract, head, r)).collect::<Result<_, _>>()?;
        if requests.is_empty() {
            return Err("the record kept no request of it".to_owned());
        }
        let bodies: Vec<Vec<u8>> = requests.iter().filter_map(ScenarioRequest::body).collect();
        let prefixes = KeyPrefixes::of_run(&head.run_id, bodies.iter().map(Vec::as_slice));
        let mut scenario =
            Scenario { requests, expectations: Vec::new(), relating: None, prefixes };
        scenario.link(contract);
        Ok(scenario)
    }
}

fn recorded(
    contract: &Contract,
    head: &RunHead,
    record: &ExchangeRecord,
) -> Result<ScenarioRequest, String> {
    let sent = &record.request;
    let hung_up = matches!(&record.answer, crate::record::AnswerRecord::Lost { kind, .. } if kind == "hung-up");
    if sent.framing == "raw" || hung_up {
        return Err("only its case can say how the connection was used".to_owned());
    }
    if sent.headers.iter().any(|(_, value)| value.contains(REDACTED)) {
        return Err("the record does not hold the credentials that it sent".to_owned());
    }
    let path = sent
        .url
        .strip_prefix(head.target.as_str())
        .map(str::to_owned)
        .or_else(|| {
            let url = url::Url::parse(&sent.url).ok()?;
            sent.url.strip_prefix(&url.origin().ascii_serialization()).map(str::to_owned)
        })
        .ok_or_else(|| format!("`{}` is no URL of the target", sent.url))?;
    let body = match &sent.body {
        BodyRecord::None => None,
        BodyRecord::Text(text) => Some(text.clone().into_bytes()),
        BodyRecord::Hex(hex) => Some(unhex(hex)),
        BodyRecord::Excerpt { bytes, .. } => {
            return Err(format!("its body of {bytes} bytes was not kept whole"));
        }
    };
    let word = |text: &str| serde_json::Value::from(text);
    let credential = serde_json::from_value(word(&sent.credential)).unwrap_or_default();
    // Records of older versions call tiny chunks by another name.
    let framing = match sent.framing.as_str() {
        "slivers" => Framing::TinyChunks,
        framing => serde_json::from_value(word(framing)).unwrap_or_default(),
    };
    let request = Request {
        method: sent.method.clone(),
        path,
        headers: sent.headers.clone(),
        credential,
        body: body.map(Into::into),
        framing,
        hang_up: None,
        new_connection: sent.new_connection,
        trace: None,
        raw: None,
    };
    let batch = request.body.as_ref().and_then(|b| BatchText::parse(b, contract));
    let has_body = request.body.is_some();
    Ok(ScenarioRequest {
        step: record.step.clone(),
        group: record.group,
        pause: 0,
        request,
        batch,
        has_body,
    })
}

//! The endpoint on axum and serde. Refuses the whole request; keeps numbers in memory.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::json;
use subtle::ConstantTimeEq;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    account_balances: Vec<AccountBalance>,
}

/// What is not echoed is only validated here; a real service would store it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct AccountBalance {
    communication_number: String,
    requester: String,
    account_ext_id: String,
    balance_at: DateTime<FixedOffset>,
    value: f64,
    equivalent_value: Option<f64>,
    balance_type: Option<String>,
    business_unit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    results: Vec<Outcome>,
    time_elapsed_ms: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    result_type: &'static str,
    communication_number: String,
    account_ext_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
    time_elapsed_ms: u64,
}

struct Service {
    token: String,
    used: Mutex<HashSet<String>>,
}

impl Service {
    fn register(&self, item: AccountBalance) -> Outcome {
        let began = Instant::now();
        let fresh = self.used.lock().expect("no thread panics with the lock").insert(item.communication_number.clone());
        Outcome {
            result_type: if fresh { "REQUEST_ACCEPTED" } else { "REQUEST_REJECTED" },
            communication_number: item.communication_number,
            account_ext_id: item.account_ext_id,
            business_unit: item.business_unit,
            error_code: (!fresh).then_some("O005"),
            error_description: (!fresh).then_some("CommunicationNumber already used in AMLYZE"),
            time_elapsed_ms: millis(began),
        }
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn refused(status: StatusCode, description: &str) -> Response {
    let body = json!({ "resultType": "REQUEST_REJECTED", "errorCode": "O001", "errorDescription": description });
    (status, Json(body)).into_response()
}

fn invalid(item: &AccountBalance) -> Option<&'static str> {
    match item {
        _ if item.communication_number.is_empty() => Some("communicationNumber is mandatory"),
        _ if item.communication_number.chars().count() > 255 => Some("communicationNumber is longer than 255"),
        _ if item.requester.chars().count() > 100 => Some("requester is longer than 100"),
        _ => None,
    }
}

async fn import(State(service): State<Arc<Service>>, body: Result<Json<Batch>, JsonRejection>) -> Response {
    let began = Instant::now();
    let batch = match body {
        Ok(Json(batch)) => batch,
        // The framework's 422 is the specification's 400.
        Err(rejection @ JsonRejection::JsonDataError(_)) => {
            return refused(StatusCode::BAD_REQUEST, &rejection.body_text());
        }
        Err(rejection) => return refused(rejection.status(), &rejection.body_text()),
    };
    if let Some(description) = batch.account_balances.iter().find_map(invalid) {
        return refused(StatusCode::BAD_REQUEST, description);
    }
    let results = batch.account_balances.into_iter().map(|item| service.register(item)).collect();
    Json(Answer { results, time_elapsed_ms: millis(began) }).into_response()
}

async fn authenticate(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let good = given.and_then(|value| value.split_once(' ')).is_some_and(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer") && bool::from(token.trim().as_bytes().ct_eq(service.token.as_bytes()))
    });
    if good {
        return next.run(request).await;
    }
    let body = Json(json!({ "error": { "code": "unauthorized" } }));
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], body).into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token = std::env::var("BATCHPROOF_TOKEN")?;
    let port = std::env::var("PORT")?;
    let service = Arc::new(Service { token, used: Mutex::default() });
    let app = Router::new()
        .route("/amlyze-ws-rest/batch-account-balances", post(import))
        // The default limit is 2 MB.
        .layer(DefaultBodyLimit::max(64 * 1024 * 1024))
        .layer(middleware::from_fn_with_state(service.clone(), authenticate))
        .with_state(service);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

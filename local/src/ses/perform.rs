//! Operations that nobody calls: what an account has from the start is made by the same rules as by a caller.

use std::collections::HashMap;

use fakecloud_core::service::{AwsRequest, AwsServiceError};
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use serde_json::Value;

use super::SesCloud;

impl SesCloud {
    /// Does the operation that is a POST to `path` below `/v2/email`, without asking for permissions.
    pub fn perform(
        &self,
        account: &str,
        region: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, AwsServiceError> {
        let path = format!("/v2/email/{path}");
        self.answer(&AwsRequest {
            service: "ses".to_owned(),
            action: String::new(),
            region: region.to_owned(),
            account_id: account.to_owned(),
            request_id: String::new(),
            headers: HeaderMap::new(),
            query_params: HashMap::new(),
            body: body.to_string().into(),
            body_stream: Mutex::new(None),
            path_segments: path.split('/').skip(1).map(str::to_owned).collect(),
            raw_path: path,
            raw_query: String::new(),
            method: Method::POST,
            is_query_protocol: false,
            access_key_id: None,
            principal: None,
        })
    }
}

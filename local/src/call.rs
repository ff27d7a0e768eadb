//! What a request asks for, found before any service sees it: service, operation, account, Region and wire protocol;
//! and AWS's errors in that protocol, for the calls that never reach their service.

use axum::body::Body;
use bytes::Bytes;
use fakecloud_aws::error as wire;
use fakecloud_aws::sigv4::parse_sigv4;
use fakecloud_core::auth::CredentialResolver;
use fakecloud_core::protocol::{self, AwsProtocol};
use http::request::Parts;
use http::{Response, StatusCode, header};

use crate::options::Options;
use crate::ses;

/// One request to a service.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The operation as IAM names it, `ses:GetEmailIdentity`.
    pub(crate) action: String,
    /// The caller's account.
    pub(crate) account: String,
    /// The Region the request was signed for.
    pub(crate) region: String,
    /// Whether the caller's access key is known.
    pub(crate) known: bool,
    service: String,
    protocol: AwsProtocol,
}

impl Call {
    /// Reads a request; `None` if it is not one to an AWS service.
    pub(crate) fn of(
        parts: &Parts,
        body: &Bytes,
        credentials: &dyn CredentialResolver,
        options: &Options,
    ) -> Option<Self> {
        let path = parts.uri.path();
        let query = parts.uri.query().unwrap_or_default();
        let parameters = protocol::parse_query_body(&Bytes::copy_from_slice(query.as_bytes()));
        let detected = protocol::detect_rpc_v2_cbor(&parts.headers, path)
            .or_else(|| protocol::detect_service(&parts.headers, &parameters, body))?;
        let operation = match (detected.action.as_str(), detected.service.as_str()) {
            ("", "route53") => fakecloud_route53::router::route(&parts.method, path, query)
                .map(|route| route.action.to_owned()),
            ("", "ses") => ses::operation(&parts.method, path).map(str::to_owned),
            (action, _) => Some(action.to_owned()),
        };
        let signed = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(parse_sigv4);
        let caller = signed.as_ref().and_then(|signed| credentials.resolve(&signed.access_key));
        let known = caller.is_some();
        let account =
            caller.map_or_else(|| options.account.clone(), |found| found.principal.account_id);
        let operation = operation.unwrap_or_else(|| format!("{} {path}", parts.method));
        Some(Self {
            action: format!("{}:{operation}", prefix(&detected.service)),
            account,
            known,
            region: signed.map_or_else(|| options.region.clone(), |signed| signed.region),
            service: detected.service,
            protocol: detected.protocol,
        })
    }

    /// Whether the call needs no permission, even if everything is denied.
    pub(crate) fn is_free(&self) -> bool {
        self.known && self.action == "sts:GetCallerIdentity"
    }

    /// The operation without its service.
    pub(crate) fn operation(&self) -> &str {
        self.action.split_once(':').map_or(&self.action, |(_, operation)| operation)
    }

    /// The service as IAM names it.
    pub(crate) fn prefix(&self) -> &str {
        prefix(&self.service)
    }

    /// The answer to a call that a rate limit refuses.
    pub(crate) fn throttled(&self) -> Response<Body> {
        let (status, code) = match self.service.as_str() {
            "ses" => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
            "sns" => (StatusCode::TOO_MANY_REQUESTS, "Throttled"),
            "sqs" => (StatusCode::FORBIDDEN, "RequestThrottled"),
            "tagging" => (StatusCode::BAD_REQUEST, "ThrottledException"),
            "route53" | "iam" | "sts" | "monitoring" => (StatusCode::BAD_REQUEST, "Throttling"),
            _ => (StatusCode::BAD_REQUEST, "ThrottlingException"),
        };
        self.error(status, code, "Rate exceeded")
    }

    /// The answer to a call that comes while another works on the same resource.
    pub(crate) fn concurrent(&self) -> Response<Body> {
        // SES's model gives this error the status of a server's own.
        let (status, code) = match self.service.as_str() {
            "ses" => (StatusCode::INTERNAL_SERVER_ERROR, "ConcurrentModificationException"),
            _ => (StatusCode::BAD_REQUEST, "ConcurrentAccess"),
        };
        self.error(status, code, "Another operation on the resource is under way.")
    }

    /// The answer when AWS fails itself.
    pub(crate) fn failed(&self) -> Response<Body> {
        let code = match self.service.as_str() {
            "ses" => "InternalServiceErrorException",
            "iam" => "ServiceFailure",
            _ => "InternalFailure",
        };
        self.error(StatusCode::INTERNAL_SERVER_ERROR, code, "An internal failure occurred.")
    }

    /// The answer to a caller who may not.
    pub(crate) fn denied(&self) -> Response<Body> {
        let message = format!(
            "User is not authorized to perform: {} because no identity-based policy allows it",
            self.action
        );
        self.denied_since(&message)
    }

    /// The same with another message.
    pub(crate) fn denied_since(&self, message: &str) -> Response<Body> {
        self.error(StatusCode::FORBIDDEN, self.denial(), message)
    }

    /// The message of an error in CBOR; `None` in every other protocol.
    pub(crate) fn message_in(&self, body: &[u8]) -> Option<String> {
        if self.protocol != AwsProtocol::RpcV2Cbor {
            return None;
        }
        let error = fakecloud_core::cbor::decode_to_json(body).ok()?;
        error["message"].as_str().map(str::to_owned)
    }

    /// The answer to a caller whose session is over.
    pub(crate) fn expired(&self) -> Response<Body> {
        let code = match self.protocol {
            AwsProtocol::Json | AwsProtocol::RestJson | AwsProtocol::RpcV2Cbor => {
                "ExpiredTokenException"
            }
            _ => "ExpiredToken",
        };
        self.error(
            StatusCode::FORBIDDEN,
            code,
            "The security token included in the request is expired",
        )
    }

    /// The code with which this service says that permission is missing.
    pub(crate) fn denial(&self) -> &'static str {
        match self.service.as_str() {
            "sns" => "AuthorizationError",
            "route53" | "iam" | "sts" | "monitoring" => "AccessDenied",
            _ => "AccessDeniedException",
        }
    }

    fn error(&self, status: StatusCode, code: &str, message: &str) -> Response<Body> {
        let request = uuid::Uuid::new_v4().to_string();
        let (status, content_type, body) = match self.protocol {
            AwsProtocol::Query | AwsProtocol::Ec2Query => {
                wire::xml_error_response(status, code, message, &request)
            }
            AwsProtocol::Rest => {
                wire::rest_xml_error_response(status, code, message, &request, wire::ROUTE53_XMLNS)
            }
            AwsProtocol::Json | AwsProtocol::RestJson => {
                wire::json_error_response(status, code, message)
            }
            AwsProtocol::RpcV2Cbor => (
                status,
                fakecloud_core::cbor::CBOR_CONTENT_TYPE.to_owned(),
                Bytes::from(fakecloud_core::cbor::error_body(code, message, &[])),
            ),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        for (name, value) in [
            ("content-type", content_type.as_str()),
            ("x-amzn-requestid", &request),
            (ERROR_CODE, code),
        ] {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        if self.protocol == AwsProtocol::RpcV2Cbor {
            headers.insert("smithy-protocol", header::HeaderValue::from_static("rpc-v2-cbor"));
        }
        response
    }
}

/// The header in which the dispatcher repeats the code of every error.
pub(crate) const ERROR_CODE: &str = "x-amz-error-code";

/// The service as IAM names it.
pub(crate) fn prefix(service: &str) -> &str {
    match service {
        "monitoring" => "cloudwatch",
        "tagging" => "tag",
        other => other,
    }
}

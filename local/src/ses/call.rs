//! One request on its way through an operation.

use fakecloud_core::service::{AwsRequest, AwsServiceError};
use serde_json::Value;

use super::delivery::Delivery;
use super::errors::invalid_token;
use super::input::Input;
use super::ports::{Dependencies, Settings};
use super::state::{Place, Regional, State};

/// What an operation has at hand: the request, the state, and the rest of the cloud.
pub(super) struct Call<'a> {
    pub(super) request: &'a AwsRequest,
    pub(super) body: &'a Value,
    pub(super) labels: &'a [String],
    pub(super) place: Place,
    pub(super) now: i64,
    pub(super) with: &'a Dependencies,
    pub(super) settings: Settings,
    pub(super) state: &'a mut State,
    /// What is to be delivered once the state is unlocked.
    pub(super) deliveries: Vec<Delivery>,
}

impl<'a> Call<'a> {
    /// The request's members.
    pub(super) fn input(&self) -> Result<Input<'a>, AwsServiceError> {
        Input::body(self.body)
    }

    /// The account in the Region that the request is for.
    pub(super) fn here(&mut self) -> &mut Regional {
        self.state.regional(&self.place)
    }

    /// A label of the path; the route has as many as its pattern.
    pub(super) fn label(&self, index: usize) -> &'a str {
        self.labels.get(index).map_or("", String::as_str)
    }

    /// A parameter of the query string.
    pub(super) fn query(&self, name: &str) -> Option<&'a str> {
        self.request.query_params.get(name).map(String::as_str)
    }

    /// A number that no other call got.
    pub(super) fn serial(&mut self) -> u64 {
        self.state.made += 1;
        self.state.made
    }
}

/// Seconds since the epoch, as JSON carries times.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double")]
pub(super) fn seconds(at: i64) -> Value {
    Value::from(at as f64 / 1000.0)
}

/// Where a page begins and how long it is.
#[derive(Clone, Debug)]
pub(super) struct Page {
    after: Option<String>,
    size: usize,
}

impl Page {
    /// A page as asked for; `most` is also what comes without a size.
    pub(super) fn new(
        token: Option<&str>,
        size: Option<i64>,
        most: usize,
    ) -> Result<Self, AwsServiceError> {
        let size = match size {
            None | Some(0) => most,
            Some(size) => {
                usize::try_from(size).ok().filter(|size| *size <= most).ok_or_else(|| {
                    super::errors::bad_request(format!("PageSize must be between 0 and {most}"))
                })?
            }
        };
        let after = token
            .map(|token| token.strip_prefix("after:").map(str::to_owned).ok_or_else(invalid_token));
        Ok(Self { after: after.transpose()?, size })
    }

    /// The page of a request whose paging is in its body.
    pub(super) fn of(input: &Input<'_>, most: usize) -> Result<Self, AwsServiceError> {
        Self::new(input.text("NextToken")?, input.integer("PageSize")?, most)
    }

    /// The page of a request whose paging is in its query string.
    pub(super) fn of_query(call: &Call<'_>, most: usize) -> Result<Self, AwsServiceError> {
        let size = call.query("PageSize").map(|size| {
            size.parse::<i64>()
                .map_err(|_| super::errors::serialization("PageSize must be an integer"))
        });
        Self::new(call.query("NextToken"), size.transpose()?, most)
    }

    /// The items of the page, and the token of the next one. Items come in the order of their unique keys.
    pub(super) fn cut<T>(&self, items: Vec<(String, T)>) -> (Vec<T>, Option<String>) {
        let after = self.after.as_deref();
        let mut rest =
            items.into_iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        let page: Vec<(String, T)> = rest.by_ref().take(self.size).collect();
        let more = rest.next().is_some();
        let token = page.last().filter(|_| more).map(|(key, _)| format!("after:{key}"));
        (page.into_iter().map(|(_, item)| item).collect(), token)
    }
}

/// Adds a member to an object if there is something to add: AWS leaves out what is not set.
pub(super) fn put(object: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let (Some(members), Some(value)) = (object.as_object_mut(), value) {
        members.insert(name.to_owned(), value.into());
    }
}

//! What is read of queues by whoever needs it: their attributes, counts of messages included, once until they are
//! written or reads are forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_sqs::types::QueueAttributeName;

use super::{AwsError, OrAbsent, Session, failed};

/// The attributes of a queue by the names that SQS has for them; `None` for a queue that is gone.
pub type QueueAttributes = Option<Arc<BTreeMap<String, String>>>;

impl Session {
    /// What SQS says of the queue `name`, which is at `url`.
    pub async fn queue_attributes(
        &self,
        name: &str,
        url: &str,
    ) -> Result<QueueAttributes, AwsError> {
        let read = || async {
            let call = self.sqs().get_queue_attributes().queue_url(url);
            let answer = call.attribute_names(QueueAttributeName::All).send().await;
            let answer = answer.map_err(failed("sqs:GetQueueAttributes", name)).or_absent()?;
            let attributes = answer.map(|answer| answer.attributes.unwrap_or_default().into_iter());
            Ok(attributes.map(|all| {
                Arc::new(all.map(|(key, value)| (key.as_str().to_owned(), value)).collect())
            }))
        };
        self.queues.get(name.to_owned(), read).await
    }

    /// What SQS said of the queue `name` is out of date.
    pub fn forget_queue(&self, name: &str) {
        self.queues.forget_key(&name.to_owned());
    }
}

//! The order of the passes.

use super::shrinker::Shrinker;

impl Shrinker<'_> {
    /// Makes it smaller until nothing smaller shows the finding, or something is used up.
    pub async fn run(&mut self) {
        self.only_the_item().await;
        self.fewer_items().await;
        loop {
            let before = self.taken;
            // Of a large one that was done, and is too dear to be done again.
            if !self.is_large() {
                self.take_sends().await;
                self.take_items().await;
            }
            self.plain_writing().await;
            self.simplify().await;
            if self.taken == before || self.attempts.ended.is_some() {
                return;
            }
        }
    }
}

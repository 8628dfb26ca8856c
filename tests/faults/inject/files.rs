//! How what is stored is spoilt, and made good.

use std::path::PathBuf;

use super::super::disk::Disk;
use super::super::fault::Files;
use super::super::installation::Installation;
use super::super::proxy::{Flow, Proxy, Weather};
use super::super::random::Random;

impl Installation {
    pub(super) async fn hit_files(&self, files: Files, random: &mut Random) {
        let _turn = self.blobs_turn.lock().await;
        if files == Files::Unmounted {
            let cover = Disk::cover(&self.blobs());
            tokio::time::sleep(random.millis(1_000, 6_000)).await;
            drop(cover);
            return;
        }
        let proxies: Vec<&Proxy> = self.workers.iter().map(|worker| &worker.files).collect();
        if files == Files::Garbled {
            for proxy in &proxies {
                proxy.garble(u32::try_from(random.between(1, 8)).unwrap());
            }
            tokio::time::sleep(random.millis(500, 2_000)).await;
            for proxy in &proxies {
                proxy.stop_garbling();
            }
            return;
        }
        // What is taken up meanwhile waits for its sources.
        let hold = |to_client| {
            for proxy in &proxies {
                proxy.weather(Weather {
                    to_client,
                    ..Weather::default()
                });
            }
        };
        hold(Flow::Held);
        tokio::time::sleep(random.millis(500, 1_000)).await;
        let blobs = self.latest_blobs();
        let kept: Vec<Vec<u8>> = blobs
            .iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect();
        for path in &blobs {
            if files == Files::Damaged {
                std::fs::write(path, b"damaged").unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
        hold(Flow::Open);
        for proxy in &proxies {
            proxy.cut(false);
        }
        tokio::time::sleep(random.millis(500, 1_500)).await;
        for (path, content) in blobs.iter().zip(kept) {
            std::fs::write(path, content).unwrap();
        }
    }

    /// Where packages and sources are stored.
    fn blobs(&self) -> PathBuf {
        self.place().join("data/blobs")
    }

    /// The stored sources written in the last seconds.
    fn latest_blobs(&self) -> Vec<PathBuf> {
        let blobs = walkdir::WalkDir::new(self.blobs());
        let mut files: Vec<_> = blobs
            .into_iter()
            .flatten()
            .filter(|entry| entry.file_type().is_file())
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.into_path())))
            // One that is being written has no name of 64 digits yet; the package is larger.
            .filter(|(_, path)| path.file_name().is_some_and(|name| name.len() == 64))
            .filter(|(_, path)| path.metadata().is_ok_and(|data| data.len() < 400))
            .collect();
        files.sort_unstable();
        let latest = files.into_iter().rev().take(20);
        latest.map(|(_, path)| path).collect()
    }
}

//! Where blobs are, and under which names.
//!
//! In a directory a blob is one file, `aa/HASH`: writing replaces it, and renaming is
//! atomic. A bucket has neither atomic renames nor a way to remove an object only
//! if nobody has written it again. So each writing makes an object of its own there,
//! `aa/HASH/ID`, which nobody ever writes again: whoever removes old ones, however late,
//! can't hit a new one (`unwanted`). Whoever reads takes the youngest.

use std::fmt;
use std::path::PathBuf;

use assize_common::ContentHash;
use object_store::path::Path as Key;
use uuid::Uuid;

use super::error::BlobError;

#[derive(Debug, Clone)]
pub(super) enum Place {
    Directory(PathBuf),
    Bucket(BucketUrl),
}

impl Place {
    /// The key that the next writing of a blob goes to.
    pub(super) fn new_key(&self, hash: ContentHash) -> Key {
        match self {
            Self::Directory(_) => blob_key(hash),
            Self::Bucket(_) => blob_key(hash).join(Uuid::now_v7().to_string()),
        }
    }

    /// The blob that is at a key; what is none has none.
    pub(super) fn hash_at(&self, key: &Key) -> Option<ContentHash> {
        let mut parts: Vec<_> = key.parts().collect();
        if matches!(self, Self::Bucket(_)) {
            parts
                .pop()
                .filter(|id| Uuid::try_parse(id.as_ref()).is_ok())?;
        }
        let hash = parts.last()?.as_ref().parse().ok()?;
        (blob_key(hash) == parts.into_iter().collect()).then_some(hash)
    }

    /// Makes the error of something attempted at a key.
    pub(super) fn failed(
        &self,
        attempt: &'static str,
        key: &Key,
    ) -> impl FnOnce(object_store::Error) -> BlobError + use<> {
        let (object, place) = (format!("{self}/{key}"), self.clone());
        move |source| BlobError::Store {
            attempt,
            object,
            advice: place.advice(&source),
            source: Box::new(source),
        }
    }

    const fn advice(&self, error: &object_store::Error) -> &'static str {
        use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
        match (self, error) {
            (Self::Directory(_), _) => "is the disk writable, and does it belong to this user?",
            (Self::Bucket(_), NotFound { .. }) => {
                "is there such a bucket, at AWS_ENDPOINT_URL and in AWS_REGION?"
            }
            (Self::Bucket(_), PermissionDenied { .. } | Unauthenticated { .. }) => {
                "are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY right, and may they read, write, list and remove objects there?"
            }
            (Self::Bucket(_), _) => {
                "does the server of AWS_ENDPOINT_URL answer, and are AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY set? http:// needs AWS_ALLOW_HTTP=true"
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Bucket(url) => url.fmt(f),
        }
    }
}

/// Below this are a blob's objects; in a directory it is the blob.
pub(super) fn blob_key(hash: ContentHash) -> Key {
    let name = hash.to_string();
    Key::from(format!("{}/{name}", &name[..2]))
}

/// A bucket of an S3-compatible store, and what comes before all keys in it:
/// `s3://BUCKET` or `s3://BUCKET/PREFIX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    pub(super) bucket: String,
    pub(super) prefix: Key,
}

impl BucketUrl {
    /// The same bucket, one level down.
    pub(super) fn below(&self, name: &str) -> Self {
        Self {
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone().join(name),
        }
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if self.prefix.is_root() {
            return Ok(());
        }
        write!(f, "/{}", self.prefix)
    }
}

/// The text is no URL of a bucket.
#[derive(Debug, thiserror::Error)]
#[error("expected s3://BUCKET or s3://BUCKET/PREFIX, with nothing else in it than names")]
pub struct InvalidBucketUrl;

impl std::str::FromStr for BucketUrl {
    type Err = InvalidBucketUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("s3://").ok_or(InvalidBucketUrl)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            return Err(InvalidBucketUrl);
        }
        if prefix.starts_with('/') || !prefix.chars().all(|c| is_name(c) || c == '/') {
            return Err(InvalidBucketUrl);
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: Key::parse(prefix).map_err(|_| InvalidBucketUrl)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_named_by_urls() {
        for (text, shown) in [
            ("s3://assize", "s3://assize"),
            ("s3://assize/", "s3://assize"),
            ("s3://a.b-c/contests/2026/", "s3://a.b-c/contests/2026"),
        ] {
            let url: BucketUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
        }
        for bad in [
            "",
            "data",
            "s3://",
            "s3:///x",
            "s3://a b",
            "s3://user:secret@host/bucket",
            "s3://a/b?c",
            "s3://a/../b",
            "s3://a//b",
            "https://a/b",
        ] {
            assert!(bad.parse::<BucketUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_tells_its_blob() {
        let hash = ContentHash::of(b"content");
        let directory = Place::Directory(PathBuf::from("data/blobs"));
        let bucket = Place::Bucket("s3://assize".parse().unwrap());
        for place in [&directory, &bucket] {
            assert_eq!(place.hash_at(&place.new_key(hash)), Some(hash));
            assert_eq!(place.hash_at(&Key::from("aside/1")), None);
            assert_eq!(place.hash_at(&Key::from(format!("aside/{hash}"))), None);
        }
        assert_eq!(bucket.hash_at(&blob_key(hash)), None);
        assert_ne!(bucket.new_key(hash), bucket.new_key(hash));
    }
}

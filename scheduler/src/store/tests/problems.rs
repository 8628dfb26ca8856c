//! Problems, languages and tokens.

use assize_common::api::Scope;
use assize_common::language::LanguageTable;
use sqlx::PgPool;

use crate::fixture::{Fixture, make_token, package};
use crate::store::Activation;

#[sqlx::test(migrations = "../migrations")]
async fn versions_are_kept_and_one_is_current(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let import = async |seed| {
        let imported = fixture
            .store
            .problem_import("sum", &package(seed), Activation::AtOnce, fixture.token_id)
            .await
            .unwrap();
        (imported.version.problem.version, imported.unchanged)
    };
    assert_eq!(import(1).await, (1, true));
    assert_eq!(import(2).await, (2, false));
    assert_eq!(
        import(1).await,
        (1, false),
        "an older version is current again"
    );
    assert_eq!(import(3).await, (3, false));
    assert_eq!(fixture.count("SELECT count(*) FROM packages").await, 3);
    let problems = fixture.store.problem_list().await.unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].version, problems[0].time_limit_ms), (3, 1500));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_version_waits_until_it_is_activated(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let (store, by) = (&fixture.store, fixture.token_id);
    let import = async |problem, seed| {
        let package = package(seed);
        let imported = store.problem_import(problem, &package, Activation::Later, by);
        let imported = imported.await.unwrap();
        let version = imported.version;
        (
            version.problem.version,
            version.is_active,
            imported.unchanged,
        )
    };
    let versions = async |problem| -> Vec<(u32, bool)> {
        let versions = store.problem_versions(problem).await.unwrap();
        let versions = versions.into_iter();
        versions
            .map(|one| (one.problem.version, one.is_active))
            .collect()
    };
    assert_eq!(import("sum", 2).await, (2, false, false));
    assert_eq!(import("sum", 2).await, (2, false, true));
    assert_eq!(import("sum", 1).await, (1, true, true));
    assert_eq!(versions("sum").await, [(2, false), (1, true)]);
    for _ in 0..2 {
        let activated = store.problem_activate("sum", 2, by).await.unwrap().unwrap();
        assert!(activated.is_active && activated.problem.version == 2);
    }
    assert_eq!(versions("sum").await, [(2, true), (1, false)]);
    let noted = store
        .admin_action_list(Some("sum"), None, 10)
        .await
        .unwrap();
    assert_eq!(noted.len(), 1, "the second time changed nothing");
    assert_eq!(noted[0].details, serde_json::json!({ "version": 2 }));
    for (problem, version) in [("sum", 3), ("sum", u32::MAX), ("none", 1)] {
        assert_eq!(
            store.problem_activate(problem, version, by).await.unwrap(),
            None
        );
    }

    assert_eq!(import("new", 1).await, (1, false, false));
    assert_eq!(versions("none").await, []);
    assert!(fixture.package_of("new").await.is_none());
    assert_eq!(
        store.problem_list().await.unwrap().len(),
        1,
        "it takes no submissions yet"
    );
    store.problem_activate("new", 1, by).await.unwrap().unwrap();
    assert!(fixture.package_of("new").await.is_some());
}

#[sqlx::test(migrations = "../migrations")]
async fn imports_at_the_same_time_take_turns(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let imports: Vec<_> = (0..6_u8)
        .map(|seed| {
            let (store, token_id) = (fixture.store.clone(), fixture.token_id);
            tokio::spawn(async move {
                store
                    .problem_import("new", &package(seed % 3), Activation::AtOnce, token_id)
                    .await
                    .unwrap()
            })
        })
        .collect();
    for import in imports {
        import.await.unwrap();
    }
    let versions = "SELECT count(*) FROM packages v JOIN problems p ON p.id = v.problem_id WHERE p.short_name = 'new'";
    assert_eq!(fixture.count(versions).await, 3);
}

#[sqlx::test(migrations = "../migrations")]
async fn languages_follow_the_table(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    fixture.submit().await;
    let table = LanguageTable::embedded()
        .unwrap()
        .restricted_to(&["python3", "c"])
        .unwrap();
    fixture.store.language_list_replace(&table).await.unwrap();
    let listed = fixture.store.language_list().await.unwrap();
    let ids: Vec<&str> = listed.iter().map(|language| language.id.as_str()).collect();
    assert_eq!(ids, ["c", "python3"]);
    fixture.store.language_list_replace(&table).await.unwrap();
}

#[sqlx::test(migrations = "../migrations")]
async fn revoked_tokens_are_not_found(pool: PgPool) {
    let fixture = Fixture::new(pool).await;
    let token = make_token(&fixture.store, &[Scope::Read, Scope::Submit]).await;
    let find = async || {
        let known = fixture
            .store
            .token_list_find(&[token.id(), fixture.token_id])
            .await;
        let [found, other]: [_; 2] = known.unwrap().try_into().unwrap();
        assert_eq!(other.unwrap().scopes, [Scope::Admin]);
        found
    };
    assert_eq!(find().await.unwrap().scopes, [Scope::Read, Scope::Submit]);
    assert!(fixture.store.token_revoke(token.id()).await.unwrap());
    assert!(!fixture.store.token_revoke(token.id()).await.unwrap());
    assert!(find().await.is_none());
    assert_eq!(fixture.store.token_list().await.unwrap().len(), 2);
}

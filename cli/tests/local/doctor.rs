//! `assize doctor`.

use crate::{Assize, Done, keys};

#[test]
fn languages_and_services() {
    let assize = Assize::new();
    let done = assize
        .run(&["doctor", "--json", "--languages", "python3,c"])
        .expect_code(0);
    let lines = done.lines();
    assert_eq!(lines.len(), 1);
    let diagnosis = &lines[0];
    assert_eq!(
        keys(diagnosis),
        ["findings", "fit", "languages", "services"]
    );
    assert_eq!(diagnosis["fit"], true);
    let languages = diagnosis["languages"].as_array().unwrap();
    let ids: Vec<_> = languages.iter().map(|language| &language["id"]).collect();
    assert_eq!(ids, ["c", "python3"]);
    assert!(languages.iter().all(|language| language["works"] == true));
    assert!(
        languages[1]["version"]
            .as_str()
            .unwrap()
            .starts_with("Python 3")
    );
    assert_eq!(diagnosis["services"][0]["name"], "postgres");
    assize.assert_clean();
}

#[test]
fn for_people() {
    let done = Assize::new()
        .run(&["doctor", "--languages", "c"])
        .expect_code(0);
    assert!(done.stdout.contains("works  c  gcc"), "{}", done.stdout);
    assert!(
        done.stdout.ends_with("This host can judge.\n"),
        "{}",
        done.stdout
    );
}

#[test]
fn a_language_that_is_not_there() {
    let assize = Assize::new();
    let table = assize.home.path().join("languages.toml");
    let missing = include_str!("../../../deploy/languages.toml")
        .replace("/usr/bin/gcc", "/usr/bin/no-such-gcc");
    std::fs::write(&table, missing).unwrap();
    let args = [
        "doctor",
        "--json",
        "--languages",
        "c",
        "--language-table",
        table.to_str().unwrap(),
    ];
    let language = assize.run(&args).expect_code(0).lines()[0]["languages"][0].clone();
    assert_eq!(language["works"], false);
    let problem = language["problem"].as_str().unwrap();
    assert!(
        problem.contains("no-such-gcc") && problem.contains("gcc libc6-dev"),
        "{problem}"
    );
    let unknown = assize
        .run(&["doctor", "--languages", "cobol"])
        .expect_code(2);
    assert!(unknown.stderr.contains("cobol"), "{}", unknown.stderr);
}

#[test]
fn a_host_that_cannot_judge() {
    let assize = Assize::new();
    let mut command = assize.command();
    command
        .env("ASSIZE_JAIL", "/no/such/jail")
        .args(["doctor", "--json"]);
    let done = Done::from(command.output().unwrap()).expect_code(3);
    let diagnosis = &done.lines()[0];
    assert_eq!(diagnosis["fit"], false);
    let findings = diagnosis["findings"].as_array().unwrap();
    let jail = findings
        .iter()
        .find(|finding| finding["name"] == "jail")
        .unwrap();
    assert!(jail["detail"].as_str().unwrap().contains("/no/such/jail"));
    assert_eq!(jail["grade"], "unfit");
}

//! What filters mean, and what is said of texts that are none.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Filter {
    Filter::parse(text, Scope::Submissions).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    let Err(error) = Filter::parse(text, Scope::Submissions) else {
        panic!("{text} is taken");
    };
    error.to_string()
}

fn texts(field: Field, texts: &[&str]) -> Filter {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    Filter::Is(field, Test::Among(Values::Texts(texts)))
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

#[test]
fn and_binds_more_than_or_and_not_more_than_both() {
    let a = || texts(Field::Team, &["a"]);
    let b = || texts(Field::Team, &["b"]);
    let c = || texts(Field::Team, &["c"]);
    assert_eq!(
        parse("team = a or team = b and not team = c"),
        Filter::Or(vec![a(), Filter::And(vec![b(), not(c())])])
    );
    assert_eq!(
        parse("(team = a OR team=b) AND team!=c"),
        Filter::And(vec![Filter::Or(vec![a(), b()]), not(c())])
    );
    assert_eq!(parse(" all "), Filter::All);
    assert_eq!(
        parse("not all and team = a"),
        Filter::And(vec![not(Filter::All), a()])
    );
}

#[test]
fn values_are_of_their_fields_kind() {
    let span = |order, milliseconds| {
        Filter::Is(
            Field::CpuTime,
            Test::Order(order, Value::Number(milliseconds)),
        )
    };
    assert_eq!(parse("cpu_time>=1.5s"), span(Order::AtLeast, 1500.0));
    assert_eq!(parse("cpu_time < 900ms"), span(Order::Less, 900.0));
    assert_eq!(
        parse("memory > 1MiB"),
        Filter::Is(
            Field::Memory,
            Test::Order(Order::Greater, Value::Number(1_048_576.0))
        )
    );
    assert_eq!(
        parse("verdict in (wa, je,open)"),
        texts(Field::Verdict, &["WA", "JE", "open"])
    );
    let noon = "2026-11-24T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
    for text in [
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:00",
        "\"2026-11-24 12:00:00\"",
        "2026-11-24T13:00:00+01:00",
    ] {
        let test = Test::Order(Order::Greater, Value::Time(noon));
        assert_eq!(
            parse(&format!("judged > {text}")),
            Filter::Is(Field::Judged, test)
        );
    }
    assert_eq!(
        parse("package in (1, 2)"),
        Filter::Is(Field::Package, Test::Among(Values::Numbers(vec![1.0, 2.0])))
    );
    assert_eq!(
        parse("outdated = true"),
        Filter::Is(Field::Outdated, Test::Among(Values::Truths(vec![true])))
    );
    assert_eq!(
        parse("compiler ~ \"g++ 12*\""),
        Filter::Is(Field::Compiler, Test::Like("g++ 12*".into()))
    );
}

#[test]
fn quotes_keep_every_character() {
    assert_eq!(
        parse(r#"team = "a \"b\" \\ (c), or = not""#),
        texts(Field::Team, &[r#"a "b" \ (c), or = not"#])
    );
    assert_eq!(parse("flag = none"), Filter::Is(Field::Flag, Test::None));
    assert_eq!(
        parse("flag != none"),
        not(Filter::Is(Field::Flag, Test::None))
    );
    assert_eq!(parse(r#"flag = "none""#), texts(Field::Flag, &["none"]));
    assert_eq!(parse("team = android"), texts(Field::Team, &["android"]));
    assert_eq!(parse("team = Häuser/2"), texts(Field::Team, &["Häuser/2"]));
}

#[test]
fn refusals_tell_the_place_and_what_would_be_right() {
    for (text, place, word) in [
        ("", 1, "a test such as"),
        ("team", 5, "one of = !="),
        ("team =", 7, "a value"),
        ("team = a b", 10, "and, or, or the end"),
        ("team = a and", 13, "a test such as"),
        ("(team = a", 10, ")"),
        ("colour = red", 1, "contest, problem"),
        ("team = a and verdict = OK", 24, "AC, WA"),
        ("verdict in (AC, OK)", 17, "AC, WA"),
        ("verdict < WA", 11, "no order"),
        ("cpu_time > 3", 12, "1.5s"),
        ("submission = 7", 14, "UUID"),
        ("verdict ~ W*", 11, "for texts"),
        ("new_verdict = AC", 1, "there is no"),
        ("team = \"a", 8, "a value"),
        ("team = \"a\u{0}b\"", 8, "control"),
        ("team in ()", 10, "values in parentheses"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(word), "{text}: {refusal}");
        assert!(
            refusal.starts_with(&format!("at character {place}: ")),
            "{text}: {refusal}"
        );
    }
    assert!(Filter::parse("new_verdict = AC", Scope::Members).is_ok());
}

#[test]
fn deep_and_long_texts_are_refused() {
    let deep = |depth| format!("{}all{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(parse(&deep(20)), Filter::All);
    assert!(refusal(&deep(3000)).contains("fewer parentheses"));
    assert!(refusal(&format!("{}all", "not ".repeat(2000))).contains("fewer"));
    assert!(refusal(&"x".repeat(10_001)).contains("longer than"));
}

#[test]
fn every_field_is_documented() {
    let documentation = include_str!("../../../docs/rejudging.md");
    for field in Field::ALL {
        let row = format!("| `{}` |", field.name());
        assert!(documentation.contains(&row), "{row}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        drop(Filter::parse(&text, Scope::Submissions));
    }

    #[test]
    fn no_text_of_its_own_words_makes_it_panic(
        words in proptest::collection::vec("team|verdict|and|or|not|all|in|=|!=|<|~|\\(|\\)|,|WA|\"|\\\\", 0..30)
    ) {
        drop(Filter::parse(&words.join(" "), Scope::Members));
    }
}

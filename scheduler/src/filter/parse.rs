//! From text to filter: first the grammar, then what fields and values mean.
//!
//! ```text
//! or    = and ("or" and)*
//! and   = not ("and" not)*
//! not   = "not" not | "(" or ")" | "all" | test
//! test  = field ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~") value
//!       | field "in" "(" value ("," value)* ")"
//! value = word | "text"
//! ```

use std::ops::Range;

use winnow::ascii::{Caseless, multispace0};
use winnow::combinator::{
    alt, cut_err, delimited, not, opt, preceded, repeat, separated, terminated,
};
use winnow::error::{StrContext, StrContextValue};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, none_of, take_while};

use super::field::{Kind, Scope};
use super::{Field, Filter, InvalidFilter, Order, Test, value};

/// Longer texts are no filters.
const MAX_CHARACTERS: usize = 10_000;
/// Deeper ones would be a burden on the stack.
const MAX_DEPTH: usize = 32;

type Input<'t> = LocatingSlice<&'t str>;

pub(super) fn parse(text: &str, scope: Scope) -> Result<Filter, InvalidFilter> {
    if text.chars().count() > MAX_CHARACTERS {
        return Err(InvalidFilter {
            at: MAX_CHARACTERS,
            problem: format!("it is longer than {MAX_CHARACTERS} characters"),
        });
    }
    let syntax = whole.parse(LocatingSlice::new(text)).map_err(|error| {
        let problem = error.inner().to_string();
        InvalidFilter {
            at: place(text, error.offset()),
            problem: problem.replace('\n', ": "),
        }
    })?;
    meaning(syntax, scope).map_err(|(span, problem)| InvalidFilter {
        at: place(text, span.start),
        problem,
    })
}

/// The number of a character, counted from 1.
fn place(text: &str, offset: usize) -> usize {
    text.get(..offset)
        .map_or(text.len(), |before| before.chars().count())
        + 1
}

fn expected(what: &'static str) -> StrContext {
    StrContext::Expected(StrContextValue::Description(what))
}

/// A filter of whose fields and values nothing is known yet.
#[derive(Debug, Clone)]
enum Syntax {
    All,
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Test {
        field: Text,
        operator: Operator,
        values: Vec<Text>,
    },
}

/// A piece of the text.
#[derive(Debug, Clone)]
struct Text {
    text: String,
    span: Range<usize>,
    quoted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Like,
    In,
    Order(Order),
}

fn whole(input: &mut Input<'_>) -> ModalResult<Syntax> {
    let filter = disjunction(input, MAX_DEPTH)?;
    (multispace0, winnow::combinator::eof)
        .context(expected("and, or, or the end"))
        .parse_next(input)?;
    Ok(filter)
}

fn disjunction(input: &mut Input<'_>, depth: usize) -> ModalResult<Syntax> {
    let parts = chain(input, "or", |input| conjunction(input, depth))?;
    Ok(joined(parts, Syntax::Or))
}

fn conjunction(input: &mut Input<'_>, depth: usize) -> ModalResult<Syntax> {
    let parts = chain(input, "and", |input| negation(input, depth))?;
    Ok(joined(parts, Syntax::And))
}

/// Parts with a word between them. After the word a part must follow.
fn chain(
    input: &mut Input<'_>,
    word: &'static str,
    part: impl Fn(&mut Input<'_>) -> ModalResult<Syntax>,
) -> ModalResult<Vec<Syntax>> {
    let mut parts = vec![part(input)?];
    while opt(keyword(word)).parse_next(input)?.is_some() {
        parts.push(cut_err(&part).parse_next(input)?);
    }
    Ok(parts)
}

fn joined(mut parts: Vec<Syntax>, join: fn(Vec<Syntax>) -> Syntax) -> Syntax {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

fn negation(input: &mut Input<'_>, depth: usize) -> ModalResult<Syntax> {
    let Some(below) = depth.checked_sub(1) else {
        return cut_err(winnow::combinator::fail)
            .context(expected("fewer parentheses inside each other"))
            .parse_next(input);
    };
    alt((
        preceded(
            keyword("not"),
            cut_err(|input: &mut Input<'_>| negation(input, below)),
        )
        .map(|inner| Syntax::Not(Box::new(inner))),
        delimited(
            symbol("("),
            cut_err(|input: &mut Input<'_>| disjunction(input, below)),
            cut_err(symbol(")")).context(expected(")")),
        ),
        terminated(keyword("all"), not(operator)).value(Syntax::All),
        test,
    ))
    .context(expected("a test such as `problem = shelf`"))
    .parse_next(input)
}

fn test(input: &mut Input<'_>) -> ModalResult<Syntax> {
    let field = word.parse_next(input)?;
    let operator = cut_err(operator)
        .context(expected("one of = != < <= > >= ~ in"))
        .parse_next(input)?;
    let values = if operator == Operator::In {
        cut_err(delimited(
            symbol("("),
            separated(1.., text, symbol(",")),
            symbol(")"),
        ))
        .context(expected("values in parentheses, such as (WA, TLE)"))
        .parse_next(input)?
    } else {
        vec![
            cut_err(text)
                .context(expected("a value; quote one with other characters"))
                .parse_next(input)?,
        ]
    };
    Ok(Syntax::Test {
        field,
        operator,
        values,
    })
}

fn operator(input: &mut Input<'_>) -> ModalResult<Operator> {
    alt((
        symbol("!=").value(Operator::Unequal),
        symbol("<=").value(Operator::Order(Order::AtMost)),
        symbol(">=").value(Operator::Order(Order::AtLeast)),
        symbol("=").value(Operator::Equal),
        symbol("<").value(Operator::Order(Order::Less)),
        symbol(">").value(Operator::Order(Order::Greater)),
        symbol("~").value(Operator::Like),
        keyword("in").value(Operator::In),
    ))
    .parse_next(input)
}

fn symbol<'t>(
    symbol: &'static str,
) -> impl ModalParser<Input<'t>, (), winnow::error::ContextError> {
    preceded(multispace0, symbol).void()
}

fn keyword<'t>(word: &'static str) -> impl ModalParser<Input<'t>, (), winnow::error::ContextError> {
    (
        multispace0,
        Caseless(word),
        not(take_while(1, is_word_character)),
    )
        .void()
}

fn is_word_character(character: char) -> bool {
    !character.is_whitespace() && !"(),=<>!~\"".contains(character)
}

fn word(input: &mut Input<'_>) -> ModalResult<Text> {
    let bare = take_while(1.., is_word_character).with_span();
    let (text, span): (&str, _) = preceded(multispace0, bare).parse_next(input)?;
    Ok(Text {
        text: text.to_owned(),
        span,
        quoted: false,
    })
}

fn text(input: &mut Input<'_>) -> ModalResult<Text> {
    let character = alt((preceded('\\', any), none_of(['"', '\\'])));
    let characters = repeat(0.., character).fold(String::new, |mut text, character: char| {
        text.push(character);
        text
    });
    let quoted = delimited('"', characters, '"').with_span();
    let quoted = preceded(multispace0, quoted).map(|(text, span)| Text {
        text,
        span,
        quoted: true,
    });
    alt((quoted, word)).parse_next(input)
}

type Mistake = (Range<usize>, String);

fn meaning(syntax: Syntax, scope: Scope) -> Result<Filter, Mistake> {
    let all = |parts: Vec<Syntax>| {
        let parts = parts.into_iter().map(|part| meaning(part, scope));
        parts.collect::<Result<Vec<_>, _>>()
    };
    Ok(match syntax {
        Syntax::All => Filter::All,
        Syntax::And(parts) => Filter::And(all(parts)?),
        Syntax::Or(parts) => Filter::Or(all(parts)?),
        Syntax::Not(inner) => Filter::Not(Box::new(meaning(*inner, scope)?)),
        Syntax::Test {
            field,
            operator,
            values,
        } => {
            let test = meaning_of_test(known(&field, scope)?, operator, &values)?;
            if operator == Operator::Unequal {
                Filter::Not(Box::new(test))
            } else {
                test
            }
        }
    })
}

fn known(text: &Text, scope: Scope) -> Result<Field, Mistake> {
    let mut fields = Field::ALL.iter().filter(|field| field.is_in(scope));
    let known = fields
        .clone()
        .find(|field| field.name().eq_ignore_ascii_case(&text.text));
    known.copied().ok_or_else(|| {
        let names: Vec<_> = fields.by_ref().map(|field| field.name()).collect();
        let shown: String = text.text.chars().take(32).collect();
        let problem = format!(
            "there is no {shown:?}: expected one of {}",
            names.join(", ")
        );
        (text.span.clone(), problem)
    })
}

fn meaning_of_test(field: Field, operator: Operator, values: &[Text]) -> Result<Filter, Mistake> {
    let first = values.first().map(|value| value.span.clone());
    let first = first.unwrap_or_default();
    if let Some(control) = values
        .iter()
        .find(|value| value.text.contains(char::is_control))
    {
        let problem = "it holds control characters".to_owned();
        return Err((control.span.clone(), problem));
    }
    let test = match (operator, values) {
        (Operator::Equal | Operator::Unequal, [value])
            if !value.quoted && value.text.eq_ignore_ascii_case("none") =>
        {
            Test::None
        }
        (Operator::Order(order), [value]) => {
            let value = value::ordered(field.kind(), &value.text);
            Test::Order(order, value.map_err(|problem| (first, problem))?)
        }
        (Operator::Like, [value]) => {
            if field.kind() != Kind::Text {
                let problem = format!("{} is no text: ~ is for texts", field.name());
                return Err((first, problem));
            }
            Test::Like(value.text.clone())
        }
        (_, values) => {
            let texts: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
            let read = value::values(field.kind(), &texts);
            Test::Among(read.map_err(|(index, problem)| {
                let span = values.get(index).map_or(first, |value| value.span.clone());
                (span, problem)
            })?)
        }
    };
    Ok(Filter::Is(field, test))
}

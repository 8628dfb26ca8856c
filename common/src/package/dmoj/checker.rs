//! The checker by name with its arguments, and the interactor.

use super::super::error::PackageError;
use super::super::file_tree::FileTree;
use super::super::limit_bounds;
use super::super::model::{
    CheckerPoints, CheckerProtocol, DmojChecker, FloatError, OutputValidator, Program,
};
use super::super::problem_yaml::StatedLimits;
use super::super::yaml::Section;
use super::super::yaml_value::Value;
use super::ignore;

/// What decides where nothing is interactive.
pub(super) fn checker(
    tree: &FileTree,
    yaml: &Section,
    value: Option<Value>,
    limits: &mut StatedLimits,
    warnings: &mut Vec<String>,
) -> Result<OutputValidator, PackageError> {
    const KEY: &str = "checker";
    let (name, mut args) = match value {
        None => (
            "standard".to_owned(),
            yaml.nested("checker.args", Value::Map(Default::default()))?,
        ),
        Some(Value::String(name)) => (
            name,
            yaml.nested("checker.args", Value::Map(Default::default()))?,
        ),
        Some(value) => {
            let mut section = yaml.nested(KEY, value)?;
            let name = section.string("name")?;
            let name = name.ok_or_else(|| section.invalid("name", "missing"))?;
            let args = section.section("args")?;
            section.finish(warnings);
            (name, args)
        }
    };
    let checker = match name.as_str() {
        "standard" => DmojChecker::Standard,
        "identical" => DmojChecker::Identical {
            tells_presentation: args.boolean("pe_allowed")?.unwrap_or(true),
        },
        "rstripped" => DmojChecker::Rstripped,
        "easy" => DmojChecker::Easy,
        "unordered" => DmojChecker::Unordered,
        "sorted" => match args.string("split_on")?.as_deref() {
            None | Some("lines") => DmojChecker::SortedLines,
            Some("whitespace") => DmojChecker::Unordered,
            Some(other) => {
                let problem = format!("expected lines or whitespace, not {other:?}");
                return Err(args.invalid("split_on", problem));
            }
        },
        "floats" | "floatsabs" | "floatsrel" => floats(&name, &mut args)?,
        "bridged" => {
            let checker = bridged(tree, &mut args, limits, warnings)?;
            args.finish(warnings);
            return Ok(checker);
        }
        other => {
            let feature = match other {
                "linecount" => {
                    "the checker linecount, which gives points for wrong outputs,".to_owned()
                }
                "linematches" => {
                    "the checker linematches, which gives points for wrong outputs,".to_owned()
                }
                _ if other.contains('.') => "a checker in Python".to_owned(),
                _ => format!("the checker {other:?}"),
            };
            return Err(yaml.unsupported(KEY, feature));
        }
    };
    args.skip(&["feedback"]);
    args.finish(warnings);
    Ok(OutputValidator::Dmoj(checker))
}

fn floats(name: &str, args: &mut Section) -> Result<DmojChecker, PackageError> {
    let precision = args.whole_number("precision")?.unwrap_or(6);
    let exponent = i32::try_from(precision)
        .ok()
        .filter(|digits| *digits <= 300);
    let exponent =
        exponent.ok_or_else(|| args.invalid("precision", "expected a number of digits"))?;
    let mode = args.string("error_mode")?;
    let error = match (name, mode.as_deref()) {
        ("floatsabs", _) | (_, Some("absolute")) => FloatError::Absolute,
        ("floatsrel", _) | (_, Some("relative")) => FloatError::Relative,
        (_, None | Some("default")) => FloatError::Either,
        (_, Some(other)) => {
            let problem = format!("expected default, absolute or relative, not {other:?}");
            return Err(args.invalid("error_mode", problem));
        }
    };
    Ok(DmojChecker::Floats {
        tolerance: 10_f64.powi(-exponent),
        error,
    })
}

/// A checker that is a program.
fn bridged(
    tree: &FileTree,
    args: &mut Section,
    limits: &mut StatedLimits,
    warnings: &mut Vec<String>,
) -> Result<OutputValidator, PackageError> {
    let program = program(tree, args, warnings)?;
    let protocol = protocol(args)?;
    limits.validation_time = args.seconds("time_limit")?;
    jury_limits(args, limits)?;
    Ok(OutputValidator::Checker { program, protocol })
}

/// Keys of interactors, with why they mean nothing here.
const IGNORED_OF_INTERACTORS: [(&str, &str); 2] = [
    (
        "preprocessing_time",
        "its CPU time has a limit of its own, and waiting costs neither side",
    ),
    ("unbuffered", "submissions write to a pipe, or flush"),
];

/// Takes the limits of a program of the jury, which are in seconds and KiB.
fn jury_limits(section: &mut Section, limits: &mut StatedLimits) -> Result<(), PackageError> {
    limits.compilation_time = section.seconds("compiler_time_limit")?;
    limits.validation_memory = section.size("memory_limit", 1024, limit_bounds::MEMORY)?;
    // What a site shows, and when it compiles.
    section.skip(&["feedback", "cached"]);
    Ok(())
}

/// The interactor, if there is one.
pub(super) fn interactor(
    tree: &FileTree,
    yaml: &mut Section,
    limits: &mut StatedLimits,
    warnings: &mut Vec<String>,
) -> Result<Option<OutputValidator>, PackageError> {
    let Some(value) = yaml.take("interactive") else {
        return Ok(None);
    };
    let mut section = yaml.nested("interactive", value)?;
    let program = program(tree, &mut section, warnings)?;
    let protocol = protocol(&mut section)?;
    jury_limits(&mut section, limits)?;
    ignore(&mut section, &IGNORED_OF_INTERACTORS, warnings);
    section.finish(warnings);
    Ok(Some(OutputValidator::Interactor {
        program,
        protocol,
        checker: None,
    }))
}

fn protocol(section: &mut Section) -> Result<CheckerProtocol, PackageError> {
    for (key, feature) in [
        ("args", "arguments of one's own for a checker"),
        (
            "args_format_string",
            "arguments of one's own for a checker or interactor",
        ),
    ] {
        if section.take(key).is_some() {
            return Err(section.unsupported(key, feature));
        }
    }
    let percent = section
        .boolean("treat_checker_points_as_percentage")?
        .unwrap_or(false);
    Ok(match section.string("type")?.as_deref() {
        None | Some("default") => CheckerProtocol::ExitCode,
        Some("testlib") if percent => CheckerProtocol::Testlib(CheckerPoints::Percent),
        Some("testlib") => CheckerProtocol::Testlib(CheckerPoints::Absolute),
        Some(other) => {
            let feature = format!("a checker or interactor of the type {other:?}");
            return Err(section.unsupported("type", feature));
        }
    })
}

/// The program that `files` names.
fn program(
    tree: &FileTree,
    section: &mut Section,
    warnings: &mut Vec<String>,
) -> Result<Program, PackageError> {
    let files = section.string_or_strings("files")?.unwrap_or_default();
    let Some(first) = files.first() else {
        return Err(section.invalid("files", "names no file"));
    };
    if section
        .take("flags")
        .is_some_and(|flags| flags != Value::List(Vec::new()))
    {
        return Err(section.unsupported("flags", "flags for the compiler"));
    }
    let mut program = Program::at(tree, first);
    program.files.clear();
    for name in &files {
        let found = tree.program_files(name);
        if found.is_empty() {
            return Err(section.invalid("files", format!("{name} is missing")));
        }
        program.files.extend(found);
    }
    // testlib.h comes with the judge there, here with the package.
    let header = "testlib.h";
    if tree.get(header).is_some() && !files.iter().any(|name| name == header) {
        program.files.extend(tree.program_files(header));
    }
    if let Some(executor) = section.string("lang")? {
        program.language = language(&executor);
        if program.language.is_none() {
            let why = format!("{executor} is not known, so the ending of {first} tells");
            warnings.push(section.ignored("lang", &why));
        }
    }
    Ok(program)
}

/// The language code of an executor; where it is another one the file's ending tells.
fn language(executor: &str) -> Option<String> {
    let code = match executor {
        "C" | "C11" | "C99" => "c",
        "PY3" | "PYPY3" => "python3",
        "PY2" | "PYPY" | "PYPY2" => "python2",
        "PRO" => "prolog",
        "PERL" => "perl",
        "RUST" => "rust",
        "GO" => "go",
        _ if executor.starts_with("CPP") => "cpp",
        _ if executor.starts_with("JAVA") => "java",
        _ => return None,
    };
    Some(code.to_owned())
}

//! What a package lacks and its own programs make: inputs, by its generators, and
//! answers, by its main solution.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;
use roxmltree::Node;

use super::super::error::PackageError;
use super::super::file_tree::{FileTree, is_valid_name};
use super::super::model::{Limits, Package, Program};
use super::testset::Patterns;
use super::{FILE, child, document, find, invalid, listed, programs, used_testset};

/// What is to be made before a package can be read.
#[derive(Debug)]
pub struct Generation {
    /// What the programs are compiled and run by; it has no test cases.
    pub package: Package,
    /// The files, in an order in which they can be made.
    pub steps: Vec<GenerationStep>,
}

/// A file that a program prints.
#[derive(Debug)]
pub struct GenerationStep {
    /// Its path within the package.
    pub target: String,
    /// The generator, or the main solution.
    pub program: Program,
    /// Arguments of the program.
    pub args: Vec<String>,
    /// The path within the package of what it reads.
    pub input: Option<String>,
}

impl Package {
    /// What the Polygon package in the directory `root` lacks.
    ///
    /// # Errors
    /// When it is broken, is of another format, or what it lacks can't be made.
    pub fn generation(root: &Path) -> Result<Generation, PackageError> {
        let tree = FileTree::read(root)?;
        let Some(text) = tree.text(FILE)? else {
            return Err(invalid(
                "",
                "missing: only packages of Polygon are generated",
            ));
        };
        let document = document(&text)?;
        let problem = document.root_element();
        let limits = Limits {
            // Inputs and answers may be larger than what a checker says of them.
            validation_output: ByteSize::mib(512),
            ..super::limits(Duration::from_secs(1), ByteSize::mib(256))
        };
        Ok(Generation {
            package: Self::plain(super::name(problem), limits, Vec::new()),
            steps: steps(&tree, problem)?,
        })
    }
}

fn steps(tree: &FileTree, problem: Node<'_, '_>) -> Result<Vec<GenerationStep>, PackageError> {
    // Read for its tests alone; what else there is to say of it, reading it says.
    let judging = child(problem, "judging")?;
    let set = used_testset(judging, &mut Vec::new())?;
    let patterns = Patterns::of(set)?;
    let assets = child(problem, "assets")?;
    let generators = generators(tree, problem)?;
    let mut steps = Vec::new();
    for (at, test) in listed(set, "tests", "test").enumerate() {
        let (input, answer) = (patterns.input(at + 1)?, patterns.answer(at + 1)?);
        if tree.get(&input).is_none() {
            let target = within(&input)?;
            let (program, args) = generator(&generators, test, &input)?;
            steps.push(GenerationStep {
                target,
                program,
                args,
                input: None,
            });
        }
        if tree.get(&answer).is_none() {
            steps.push(GenerationStep {
                target: within(&answer)?,
                program: main_solution(tree, problem, assets, &answer)?,
                args: Vec::new(),
                input: Some(input),
            });
        }
    }
    Ok(steps)
}

/// A path that can be written, and is found again when the package is read.
fn within(path: &str) -> Result<String, PackageError> {
    if path.split('/').all(is_valid_name) {
        Ok(path.to_owned())
    } else {
        let problem = format!("{path:?} is no path within the package");
        Err(invalid("testset", problem))
    }
}

/// All programs that generate, by the names that commands call them by.
fn generators(
    tree: &FileTree,
    problem: Node<'_, '_>,
) -> Result<BTreeMap<String, Program>, PackageError> {
    let headers = programs::resources(tree, problem);
    let mut generators = BTreeMap::new();
    if let Some(files) = find(problem, "files") {
        for node in listed(files, "executables", "executable") {
            let mut program = programs::source(tree, node, "files.executables")?;
            let file = program.name.rsplit('/').next().unwrap_or_default();
            let name = file
                .rsplit_once('.')
                .map_or(file, |(stem, _)| stem)
                .to_owned();
            program.files.extend(headers.iter().cloned());
            generators.insert(name, program);
        }
    }
    Ok(generators)
}

/// The generator of a test, with its arguments.
fn generator(
    generators: &BTreeMap<String, Program>,
    test: Node<'_, '_>,
    input: &str,
) -> Result<(Program, Vec<String>), PackageError> {
    let refused = |feature: String| PackageError::unsupported(input, "cmd", feature);
    let Some(command) = test.attribute("cmd") else {
        let problem = "missing, and no generator makes it: export the full package";
        return Err(PackageError::invalid(input, "", problem));
    };
    if test.has_attribute("from-file") {
        let feature = format!("`{command}`, a generator of several files,");
        return Err(refused(feature));
    }
    if command.contains(['"', '\'', '\\', '$', '`', '|', '&', ';', '<', '>']) {
        let feature = format!("`{command}`, which needs a shell,");
        return Err(refused(feature));
    }
    let mut words = command.split_whitespace().map(str::to_owned);
    let name = words.next().unwrap_or_default();
    let program = generators.get(&name).ok_or_else(|| {
        let problem = format!("missing: {FILE} names no source of its generator {name:?}");
        PackageError::invalid(input, "cmd", problem)
    })?;
    Ok((program.clone(), words.collect()))
}

/// The main solution with what is compiled with it.
fn main_solution(
    tree: &FileTree,
    problem: Node<'_, '_>,
    assets: Node<'_, '_>,
    answer: &str,
) -> Result<Program, PackageError> {
    if find(assets, "interactor").is_some() {
        let feature = "making the answers of an interactive problem";
        return Err(PackageError::unsupported(answer, "", feature));
    }
    let node = listed(assets, "solutions", "solution")
        .find(|node| node.attribute("tag") == Some("main"))
        .ok_or_else(|| invalid("assets.solutions", "has no main solution to make answers"))?;
    let mut program = programs::source(tree, node, "assets.solutions")?;
    let graders = programs::graders(tree, problem)?;
    let own = program.language.as_ref().and_then(|code| graders.get(code));
    program.files.extend(own.into_iter().flatten().cloned());
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::super::super::test_package::TestPackage;
    use super::*;

    /// A package with these tests, of which the first has its input.
    fn package(tests: &str, pattern: &str, more: &str) -> TestPackage {
        let xml = format!(
            r#"<problem short-name="sum"><judging><testset name="tests">
                <input-path-pattern>{pattern}</input-path-pattern>
                <answer-path-pattern>{pattern}.a</answer-path-pattern>
                <tests>{tests}</tests>
            </testset></judging>
            <files>
                <resources><file path="files/testlib.h" type="h.g++"/></resources>
                <executables><executable><source path="files/gen.cpp" type="cpp.g++17"/></executable></executables>
            </files>
            <assets>
                <solutions><solution tag="main"><source path="solutions/main.py" type="python.3"/></solution></solutions>
                {more}
            </assets></problem>"#
        );
        TestPackage::empty()
            .with("problem.xml", xml)
            .with("files/testlib.h", "")
            .with("files/gen.cpp", "")
            .with("solutions/main.py", "")
            .with("tests/01", "1\n")
    }

    const TESTS: &str = r#"<test method="manual"/><test method="generated" cmd="gen 100  -n=7"/>"#;

    #[test]
    fn what_is_missing_is_made_input_before_answer() {
        let generation = Package::generation(package(TESTS, "tests/%02d", "").path()).unwrap();
        let steps: Vec<_> = generation
            .steps
            .iter()
            .map(|step| {
                let input = step.input.as_deref().unwrap_or("-");
                let args = step.args.join(",");
                format!("{} {} {args} {input}", step.target, step.program.name)
            })
            .collect();
        assert_eq!(
            steps,
            [
                "tests/01.a solutions/main.py  tests/01",
                "tests/02 files/gen.cpp 100,-n=7 -",
                "tests/02.a solutions/main.py  tests/02",
            ]
        );
        let files = &generation.steps[1].program.files;
        assert_eq!(files.last().unwrap().name, "testlib.h");
        let whole = package(TESTS, "tests/%02d", "")
            .with("tests/01.a", "")
            .with("tests/02", "")
            .with("tests/02.a", "");
        assert!(Package::generation(whole.path()).unwrap().steps.is_empty());
    }

    #[test]
    fn what_can_not_be_made_is_refused() {
        let manual = r#"<test method="manual"/><test method="manual"/>"#;
        let generated = |attributes: &str| format!("<test/><test {attributes}/>");
        let talk = r#"<interactor><source path="files/gen.cpp"/></interactor>"#;
        for (tests, pattern, more, part) in [
            (manual.to_owned(), "tests/%02d", "", "tests/02: missing"),
            (
                generated("cmd='gen 1' from-file='2'"),
                "tests/%02d",
                "",
                "several files",
            ),
            (
                generated("cmd='gen $((1))'"),
                "tests/%02d",
                "",
                "needs a shell",
            ),
            (generated("cmd='other 1'"), "tests/%02d", "", "\"other\""),
            (
                generated("cmd='gen 1'"),
                "../tests/%02d",
                "",
                "no path within",
            ),
            (generated("cmd='gen 1'"), "/etc/%02d", "", "no path within"),
            (
                generated("cmd='gen 1'"),
                "tests/%02d",
                talk,
                "interactive problem",
            ),
        ] {
            let package = package(&tests, pattern, more);
            let error = Package::generation(package.path()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let other = Package::generation(TestPackage::minimal().path()).unwrap_err();
        assert!(other.to_string().contains("only packages of Polygon"));
    }
}

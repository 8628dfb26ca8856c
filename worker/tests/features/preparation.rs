//! What a language prepares: used by the programs that name it, the same for all,
//! and without a trace in what they are compiled to.

use assize_common::language::LanguageTable;
use assize_common::{SandboxMode, Stop, Verdict};
use assize_worker::judge::{Judge, Judged};
use walkdir::WalkDir;

use crate::court::{TestPackage, judge_by, new_judge_of};

/// A language whose compiler shows whether it found `ready.h`.
fn table(prepare: &str) -> LanguageTable {
    let text = format!(
        r#"
[[language]]
id = "cready"
name = "C with a header"
code = "c"
extensions = ["c"]
default = true
prepare.used_by = "ready.h"
prepare.commands = [["/bin/sh", "-c", {prepare:?}]]
prepare.artifacts = ["in/ready.h"]
compile = [["/usr/bin/gcc", "-I/prepared/in", "-o", "program", "{{sources}}"]]
artifacts = ["program"]
run = ["/box/program"]
version = ["/usr/bin/gcc", "--version"]
env = {{ PATH = "/usr/bin:/bin" }}
self_test = "int main() {{}}"
self_test_file = "main.c"
"#
    );
    LanguageTable::parse(&text).unwrap()
}

/// Prints what `ready.h` says, or that it is not there.
fn package() -> TestPackage {
    let program = |naming: &str| {
        format!(
            "{naming}\n#include <stdio.h>\n#if __has_include(<rea\\\ndy.h>)\n#include <rea\\\ndy.h>\n\
             #else\n#define MAGIC \"none\"\n#endif\nint main() {{ puts(MAGIC); }}\n"
        )
    };
    TestPackage::new("limits: {time_limit: 5}\n")
        .with_testcase("secret/1", "", "42\n")
        .with("submissions/accepted/naming.c", &program("// ready.h"))
        .with("submissions/accepted/again.c", &program("// ready.h again"))
        .with("submissions/wrong_answer/silent.c", &program(""))
}

fn verdict(judge: &Judge, name: &str) -> Verdict {
    judged(judge, &package(), name).verdict
}

fn judged(judge: &Judge, package: &TestPackage, name: &str) -> Judged {
    judge_by(judge, SandboxMode::Unshare, package, name, Stop::End).unwrap()
}

#[test]
fn programs_that_name_it_find_it() {
    let directory = tempfile::tempdir().unwrap();
    let once = "mkdir in && echo '#define MAGIC \"42\"' > in/ready.h";
    let judge = new_judge_of(&directory, table(once));
    assert_eq!(verdict(&judge, "naming.c"), Verdict::Ac);
    assert_eq!(verdict(&judge, "again.c"), Verdict::Ac);
    assert_eq!(
        verdict(&judge, "silent.c"),
        Verdict::Wa,
        "nothing is there for whoever does not name it"
    );
}

#[test]
fn without_it_programs_compile_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let judge = new_judge_of(&directory, table("echo no; exit 1"));
    assert_eq!(verdict(&judge, "naming.c"), Verdict::Wa);
}

#[test]
fn a_precompiled_header_changes_no_program() {
    let plain = {
        let text = include_str!("../../../deploy/languages.toml");
        let text = text.replace("\"-I/prepared\", ", "");
        let used_by = "prepare.used_by = \"bits/stdc++.h\"";
        LanguageTable::parse(&text.replace(used_by, "prepare.used_by = \"never\"")).unwrap()
    };
    let program = |before: &str| {
        format!(
            "{before}\n#include <bits/stdc++.h>\nint main() {{ std::map<int, std::vector<double>> m; int x; \
             while (std::cin >> x) m[x % 3].push_back(std::sqrt(x)); for (auto& [k, v] : m) \
             std::cout << k << ' ' << std::accumulate(v.begin(), v.end(), 0.0) << '\\n'; }}\n"
        )
    };
    let package = TestPackage::new("limits: {time_limit: 5}\n")
        .with_testcase("secret/1", "4 9 16\n", "0 3\n1 6\n")
        .with("submissions/accepted/plain.cpp", &program(""))
        .with(
            "submissions/accepted/debug.cpp",
            &program("#define _GLIBCXX_DEBUG"),
        )
        .with(
            "submissions/accepted/pragmas.cpp",
            &program("#pragma GCC optimize(\"O3\")\n#pragma GCC target(\"avx2\")"),
        );
    let embedded = LanguageTable::embedded().unwrap();
    let made = [embedded, plain].map(|table| {
        let directory = tempfile::tempdir().unwrap();
        let judge = new_judge_of(&directory, table.restricted_to(&["cpp20"]).unwrap());
        let programs = ["plain.cpp", "debug.cpp", "pragmas.cpp"].map(|name| {
            let judged = judged(&judge, &package, name);
            assert_eq!(judged.verdict, Verdict::Ac, "{name}");
            judged.provenance.executable.unwrap()
        });
        let mut files = WalkDir::new(directory.path()).into_iter().flatten();
        (
            programs,
            files.any(|file| file.file_name() == "stdc++.h.gch"),
        )
    });
    let [(with, is_precompiled), (without, _)] = made;
    assert!(is_precompiled, "the compiler made none");
    assert_eq!(with, without);
}

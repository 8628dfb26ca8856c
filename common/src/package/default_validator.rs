//! The arguments of the default output validator.

/// How the default output validator compares tokens.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DefaultValidatorOptions {
    /// Whether upper and lower case differ.
    pub case_sensitive: bool,
    /// Whether white space must be the same byte for byte.
    pub space_change_sensitive: bool,
    /// The largest relative error of a number.
    pub relative_tolerance: Option<f64>,
    /// The largest absolute error of a number.
    pub absolute_tolerance: Option<f64>,
    /// Whether infinities and hexadecimal numbers count as numbers too, as in the
    /// legacy formats. No argument says so.
    pub ieee_numbers: bool,
}

impl DefaultValidatorOptions {
    /// Parses arguments such as `["case_sensitive", "float_tolerance", "1e-6"]`;
    /// the error says what is wrong with them.
    ///
    /// # Errors
    /// On an unknown argument, a tolerance without a number, and tolerances
    /// that are given twice.
    pub fn parse<S: AsRef<str>>(args: &[S]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter().map(AsRef::as_ref);
        while let Some(arg) = args.next() {
            match arg {
                "case_sensitive" => options.case_sensitive = true,
                "space_change_sensitive" => options.space_change_sensitive = true,
                "float_relative_tolerance" => {
                    set_once(&mut options.relative_tolerance, arg, args.next())?;
                }
                "float_absolute_tolerance" => {
                    set_once(&mut options.absolute_tolerance, arg, args.next())?;
                }
                "float_tolerance" => {
                    let value = args.next();
                    set_once(&mut options.relative_tolerance, arg, value)?;
                    set_once(&mut options.absolute_tolerance, arg, value)?;
                }
                unknown => {
                    return Err(format!(
                        "{unknown:?} is no argument of the default output validator: it has case_sensitive, \
                         space_change_sensitive, float_relative_tolerance, float_absolute_tolerance and float_tolerance"
                    ));
                }
            }
        }
        Ok(options)
    }

    /// Whether tokens are compared as numbers where the answer is one.
    #[must_use]
    pub const fn compares_numbers(&self) -> bool {
        self.relative_tolerance.is_some() || self.absolute_tolerance.is_some()
    }
}

fn set_once(tolerance: &mut Option<f64>, arg: &str, value: Option<&str>) -> Result<(), String> {
    let parsed = value
        .and_then(|value| value.parse().ok())
        .filter(|value: &f64| value.is_finite() && *value >= 0.0);
    let Some(value) = parsed else {
        return Err(format!("{arg} must be followed by a number such as 1e-6"));
    };
    match tolerance.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("{arg} sets a tolerance that was already set")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_arguments() {
        let args = [
            "case_sensitive",
            "float_absolute_tolerance",
            "1e-9",
            "space_change_sensitive",
        ];
        let options = DefaultValidatorOptions::parse(&args).unwrap();
        assert!(
            options.case_sensitive && options.space_change_sensitive && options.compares_numbers()
        );
        assert_eq!(
            (options.absolute_tolerance, options.relative_tolerance),
            (Some(1e-9), None)
        );
        let both = DefaultValidatorOptions::parse(&["float_tolerance", ".5"]).unwrap();
        assert_eq!(
            (both.absolute_tolerance, both.relative_tolerance),
            (Some(0.5), Some(0.5))
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (args, part) in [
            (&["ignore_case"][..], "ignore_case"),
            (&["float_tolerance"], "followed by a number"),
            (&["float_tolerance", "nan"], "followed by a number"),
            (
                &["float_tolerance", "1", "float_absolute_tolerance", "1"],
                "already set",
            ),
            (
                &[
                    "float_relative_tolerance",
                    "1",
                    "float_relative_tolerance",
                    "1",
                ],
                "already set",
            ),
        ] {
            let error = DefaultValidatorOptions::parse(args).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}

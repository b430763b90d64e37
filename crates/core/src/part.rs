//! Parts and formats that a scenario may name, as rows: each is a name, a line of documentation,
//! parameters with their defaults, and a constructor, beside its implementation in a file of its
//! own. Parts of a policy are such rows, and formats of traces.

mod column;
mod setting;

use std::fmt;

pub(crate) use column::factor;
pub use column::{Column, ColumnOrigin, ColumnUnit, Field};
pub use setting::{DemandMix, Parameter, PartSettings, Setting, SettingKind, WrongSetting};

/// A row, which makes a `T`: one answer to a question of a policy, or one format of traces.
pub struct Part<T: 'static> {
    /// Its name in scenarios.
    pub name: &'static str,
    /// Description for readers, in one line.
    pub doc: &'static str,
    /// Parameters that can be set.
    pub parameters: &'static [Parameter],
    /// The part with these settings, which are those of `parameters`.
    pub make: fn(&PartSettings) -> T,
}

impl<T> Part<T> {
    /// The part with its defaults.
    pub fn spec(&'static self) -> PartSpec<T> {
        self.with(PartSettings::new(self.parameters))
    }

    /// The part with `settings`, which are those of its parameters.
    pub fn with(&'static self, settings: PartSettings) -> PartSpec<T> {
        PartSpec { part: self, settings }
    }
}

impl<T> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A part with its settings, as data.
pub struct PartSpec<T: 'static> {
    part: &'static Part<T>,
    /// Values of its parameters.
    pub settings: PartSettings,
}

impl<T> PartSpec<T> {
    /// The same where the parameter called `name` has this value.
    ///
    /// # Panics
    /// If the part has no such parameter, or the value is not of its kind or beyond its range.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Setting>) -> Self {
        self.settings.set(name, value.into());
        self
    }

    /// The same, for a value that need not be right.
    ///
    /// # Errors
    /// There is no such parameter, or the value is not of its kind or beyond its range.
    pub fn try_set(mut self, name: &str, value: impl Into<Setting>) -> Result<Self, WrongSetting> {
        self.settings.try_set(name, value.into())?;
        Ok(self)
    }

    /// Its name in scenarios.
    pub fn name(&self) -> &'static str {
        self.part.name
    }

    /// Parameters that can be set.
    pub fn parameters(&self) -> &'static [Parameter] {
        self.part.parameters
    }

    /// Whether the spec is of this row, whatever its settings. Another row of the same name is
    /// another part.
    pub fn is(&self, part: &Part<T>) -> bool {
        std::ptr::eq(self.part, part)
    }

    /// Whether it is of none of these rows.
    pub(crate) fn is_none_of(&self, rows: &[&Part<T>]) -> bool {
        !rows.iter().any(|row| self.is(row))
    }

    /// Makes the part.
    pub fn build(&self) -> T {
        (self.part.make)(&self.settings)
    }
}

impl<T> Clone for PartSpec<T> {
    fn clone(&self) -> Self {
        Self { part: self.part, settings: self.settings.clone() }
    }
}

impl<T> PartialEq for PartSpec<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.part) && self.settings == other.settings
    }
}

impl<T> fmt::Debug for PartSpec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.part.name, self.settings)
    }
}

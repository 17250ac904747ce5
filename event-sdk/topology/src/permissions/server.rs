//! `Display` of `Permissions`: configuration of nats-server.

use std::fmt;

use super::{Login, Permission, Permissions, Role, User};

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# The users of the prefix `{}`, each with the least permissions, for nats-server.\n# Generated from the topology: make it again instead of editing it.",
            self.prefix
        )?;
        if let Some(file) = &self.passwords_file {
            writeln!(f, "include {}", quoted(file))?;
        }
        let indent = if let Some(account) = &self.account {
            let account = quoted(account);
            writeln!(f, "accounts {{\n  {account} {{\n    jetstream: enabled")?;
            "    "
        } else {
            writeln!(f, "authorization {{")?;
            "  "
        };
        writeln!(f, "{indent}users: [")?;
        for user in &self.users {
            write_user(f, user, indent)?;
        }
        writeln!(f, "{indent}]")?;
        if self.account.is_some() {
            writeln!(f, "  }}")?;
        }
        writeln!(f, "}}")
    }
}

fn write_user(f: &mut fmt::Formatter<'_>, user: &User, indent: &str) -> fmt::Result {
    let what = match user.role {
        Role::Service => "a service",
        Role::Deployment => "the deployment step: plan, apply, verify",
        Role::Operator => "operators: stored events and dead letters",
        Role::Monitor => "monitoring: states, and no events",
    };
    writeln!(f, "{indent}  {{ # {what}")?;
    let name = quoted(&user.name);
    match &user.login {
        Login::PasswordVariable(variable) => {
            writeln!(
                f,
                "{indent}    user: {name}\n{indent}    password: ${variable}"
            )?;
        }
        // Quoted: a `$` that begins a word is a variable.
        Login::Bcrypt(hash) => writeln!(
            f,
            "{indent}    user: {name}\n{indent}    password: {}",
            quoted(hash)
        )?,
        Login::NKey(key) => writeln!(f, "{indent}    # {}\n{indent}    nkey: {key}", user.name)?,
    }
    writeln!(f, "{indent}    permissions: {{")?;
    write_list(f, indent, "publish", &user.publish)?;
    write_list(f, indent, "subscribe", &user.subscribe)?;
    writeln!(f, "{indent}    }}\n{indent}  }}")
}

fn write_list(
    f: &mut fmt::Formatter<'_>,
    indent: &str,
    what: &str,
    list: &[Permission],
) -> fmt::Result {
    // An empty list would allow everything.
    if list.is_empty() {
        return writeln!(f, "{indent}      {what}: {{ deny: \">\" }}");
    }
    writeln!(f, "{indent}      {what}: [")?;
    for permission in list {
        let subject = quoted(&permission.subject);
        let purposes = permission.purposes.join("; ");
        writeln!(f, "{indent}        {subject} # {purposes}")?;
    }
    writeln!(f, "{indent}      ]")
}

/// A text of the configuration's grammar, where a backslash escapes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

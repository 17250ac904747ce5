//! `Display` of `Permissions`: configuration of nats-server.

use std::fmt;

use super::{Login, Permission, Permissions, Role, User};

/// What is not valid, which only a changed field can be, is never written as it is: the server refuses
/// the configuration, since a variable is missing.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# The users of the prefix `{}`, each with the least permissions, for nats-server.\n# Generated from the topology: make it again instead of editing it.",
            in_line(&self.prefix)
        )?;
        match &self.passwords_file {
            Some(file) if is_file_name(file) => writeln!(f, "include \"{file}\"")?,
            Some(_) => writeln!(f, "# The name of the file of passwords is not valid.")?,
            None => {}
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
    let is_valid = user.login.check(&user.name).is_ok();
    match &user.login {
        _ if !is_valid => writeln!(
            f,
            "{indent}    user: {name}\n{indent}    password: $THIS_LOGIN_IS_NOT_VALID"
        )?,
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
        Login::NKey(key) => writeln!(
            f,
            "{indent}    # {}\n{indent}    nkey: {key}",
            in_line(&user.name)
        )?,
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
        let purposes = in_line(&permission.purposes.join("; "));
        writeln!(f, "{indent}        {subject} # {purposes}")?;
    }
    writeln!(f, "{indent}      ]")
}

/// A text of the configuration's grammar, where a backslash escapes.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', r#"\""#);
    format!("\"{}\"", in_line(&text))
}

/// A text that stays in its line, such as in a comment.
fn in_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Whether it can be the name of a file of passwords: the grammar of `include` has no escapes.
pub(super) fn is_file_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    !name.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte))
}

//! What the sources of the services say, macro by macro and call by call.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Expr, ExprCall, ExprLit, Lit, Macro};

use super::pages;

/// A source file, read.
pub struct Source {
    /// Its path in the repository.
    pub path: String,
    /// The service it belongs to.
    pub service: String,
    file: syn::File,
}

/// Every source file of the services that is no test of its own.
pub fn all() -> Vec<Source> {
    let mut paths = Vec::new();
    pages::collect(&pages::root(), "services", "rs", &mut paths);
    let is_code = |path: &String| path.split('/').nth(2) == Some("src") && !path.contains("/tests/") && !path.ends_with("/tests.rs");
    paths
        .into_iter()
        .filter(is_code)
        .map(|path| {
            let text = std::fs::read_to_string(pages::root().join(&path)).unwrap();
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
            let service = path.split('/').nth(1).unwrap_or_default().to_owned();
            Source { path, service, file }
        })
        .collect()
}

impl Source {
    /// Calls `each` with every macro outside of tests, also those inside of others, by the last part of its name and what it is given.
    pub fn macros(&self, each: impl FnMut(&str, &TokenStream)) {
        Macros(each).visit_file(&self.file);
    }

    /// Calls `each` with every call of a function outside of tests, by its path.
    pub fn calls(&self, each: impl FnMut(&str, &[&Expr])) {
        Calls(each).visit_file(&self.file);
    }

    /// Calls `each` with every arm of every match outside of tests: the names in its pattern, and what it gives.
    pub fn arms(&self, each: impl FnMut(&[String], &Expr)) {
        Arms(each).visit_file(&self.file);
    }
}

/// The text of a literal, also the first of `format!("…")`, with what is filled in as it stands.
pub fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Macro(call) if call.mac.path.is_ident("format") => {
            let first = call.mac.tokens.clone().into_iter().next()?;
            syn::parse_str::<syn::LitStr>(&first.to_string()).ok().map(|text| text.value())
        }
        Expr::Reference(reference) => text(&reference.expr),
        _ => None,
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

macro_rules! outside_of_tests {
    () => {
        fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
            if !is_test(&module.attrs) {
                syn::visit::visit_item_mod(self, module);
            }
        }
    };
}

struct Macros<F>(F);

impl<'ast, F: FnMut(&str, &TokenStream)> Visit<'ast> for Macros<F> {
    outside_of_tests!();

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name = call.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        (self.0)(&name, &call.tokens);
        inside(&call.tokens, &mut self.0);
    }
}

/// What a macro is given is no syntax yet: calls of macros are looked for as `name ! (…)`.
fn inside(tokens: &TokenStream, each: &mut impl FnMut(&str, &TokenStream)) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        if let [.., TokenTree::Ident(name), TokenTree::Punct(mark)] = &tokens[..at]
            && mark.as_char() == '!'
        {
            each(&name.to_string(), &group.stream());
        }
        inside(&group.stream(), each);
    }
}

struct Calls<F>(F);

impl<'ast, F: FnMut(&str, &[&Expr])> Visit<'ast> for Calls<F> {
    outside_of_tests!();

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(path) = &*call.func {
            let name = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::");
            (self.0)(&name, &call.args.iter().collect::<Vec<_>>());
        }
        syn::visit::visit_expr_call(self, call);
    }
}

struct Arms<F>(F);

impl<'ast, F: FnMut(&[String], &Expr)> Visit<'ast> for Arms<F> {
    outside_of_tests!();

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let mut names = Names(Vec::new());
        names.visit_pat(&arm.pat);
        // an arm in braces gives what stands in them
        let given = match &*arm.body {
            Expr::Block(block) => match block.block.stmts.last() {
                Some(syn::Stmt::Expr(last, None)) => last,
                _ => &arm.body,
            },
            body => body,
        };
        (self.0)(&names.0, given);
        syn::visit::visit_arm(self, arm);
    }
}

/// The last parts of all paths in a pattern.
struct Names(Vec<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.extend(path.segments.last().map(|segment| segment.ident.to_string()));
    }
}

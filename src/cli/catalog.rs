//! `windtunnel catalog`: providers, offers and prices as tables.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};

use super::args::CatalogCommand;
use super::exit::CommandResult;
use windtunnel::report::clean;
use windtunnel::scenario::{Listing, catalog_list, catalog_show};

/// Shows a listing.
pub(super) fn catalog(command: &CatalogCommand) -> CommandResult {
    match command {
        CatalogCommand::List { json } => show(&catalog_list()?, *json),
        CatalogCommand::Show { provider, region, instance_type, json } => {
            let listing = catalog_show(provider, region.as_deref(), instance_type.as_deref())?;
            show(&listing, *json)
        }
    }
}

fn show(listing: &Listing, as_json: bool) -> CommandResult {
    let mut out = std::io::stdout().lock();
    if as_json {
        let rows: Vec<serde_json::Map<String, serde_json::Value>> = listing
            .rows
            .iter()
            .map(|row| {
                let cells = row.iter().map(|cell| cell.clone().into());
                listing.header.iter().map(|title| title.to_string()).zip(cells).collect()
            })
            .collect();
        serde_json::to_writer_pretty(&mut out, &rows).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(&listing.header);
    for row in &listing.rows {
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    writeln!(out, "{table}")?;
    Ok(())
}

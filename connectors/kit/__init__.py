"""What all connectors share: the contract, HTTP, files and tables, instants, SCIM, quarantine, redaction."""

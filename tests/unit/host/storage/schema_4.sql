-- The schema as it was in version 4, for the test that such a store is taken over.
-- The store of a host, version 4 (PRAGMA user_version); an older store is taken over by running this again: new
-- tables come to it (and new columns, sqlite_file.py). Columns stand in the order of the named tuples in
-- ledger/entry.py; a test compares them. The journal has no secondary index on purpose: entries arrive in
-- random terminal order, and keeping such an index would cost more than the rest of the commit.

CREATE TABLE IF NOT EXISTS entry (
    sequence      INTEGER PRIMARY KEY,
    kind          TEXT    NOT NULL,
    terminal_no   INTEGER NOT NULL,
    batch_id      INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    outcome       TEXT    NOT NULL,
    mti           TEXT    NOT NULL,
    stan          TEXT    NOT NULL,
    key           TEXT    NOT NULL,
    amount_minor  INTEGER NOT NULL,
    currency      TEXT    NOT NULL,
    card          TEXT    NOT NULL,
    card_print    TEXT    NOT NULL,
    organisation  TEXT    NOT NULL,
    account       TEXT    NOT NULL,
    rrn           TEXT    NOT NULL,
    approval_code TEXT    NOT NULL,
    invoice       TEXT    NOT NULL,
    original      TEXT    NOT NULL,
    detail        TEXT    NOT NULL,
    product       TEXT    NOT NULL DEFAULT ''
);

CREATE TABLE IF NOT EXISTS terminal (
    terminal_no    INTEGER PRIMARY KEY,
    merchant_id    TEXT    NOT NULL,
    terminal_id    TEXT    NOT NULL,
    dialect        TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    enrolled_at_ms INTEGER NOT NULL,
    number_known   INTEGER NOT NULL,
    UNIQUE (merchant_id, terminal_id)
);

CREATE TABLE IF NOT EXISTS batch (
    batch_id        INTEGER PRIMARY KEY,
    terminal_no     INTEGER NOT NULL,
    number          TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    result          TEXT    NOT NULL,
    dialect         TEXT    NOT NULL,
    currency        TEXT    NOT NULL,
    opened_at_ms    INTEGER NOT NULL,
    closed_at_ms    INTEGER NOT NULL,
    after_sequence  INTEGER NOT NULL,
    rrn_base        INTEGER NOT NULL,
    host_totals     TEXT    NOT NULL,
    terminal_totals TEXT    NOT NULL,
    discrepancies   TEXT    NOT NULL,
    settlement      TEXT    NOT NULL
);

CREATE TABLE IF NOT EXISTS flag (
    terminal_no INTEGER PRIMARY KEY,
    severity    TEXT    NOT NULL,
    since_ms    INTEGER NOT NULL,
    due_at_ms   INTEGER NOT NULL,
    reasons     TEXT    NOT NULL,
    clears      TEXT    NOT NULL
);

CREATE TABLE IF NOT EXISTS working_keys (
    terminal_no  INTEGER PRIMARY KEY,
    sealed       TEXT    NOT NULL,
    issued_at_ms INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS authorisation (
    authorisation_no INTEGER PRIMARY KEY,
    terminal_no      INTEGER NOT NULL,
    state            TEXT    NOT NULL,
    batch_id         INTEGER NOT NULL,
    named            TEXT    NOT NULL,
    approval_code    TEXT    NOT NULL,
    rrn              TEXT    NOT NULL,
    card             TEXT    NOT NULL,
    card_print       TEXT    NOT NULL,
    currency         TEXT    NOT NULL,
    amount_minor     INTEGER NOT NULL,
    completed_minor  INTEGER NOT NULL,
    authorised_at_ms INTEGER NOT NULL,
    expires_at_ms    INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS host_settlement (
    terminal_no   INTEGER PRIMARY KEY,
    batch_id      INTEGER NOT NULL,
    business_day  TEXT    NOT NULL,
    result        TEXT    NOT NULL,
    judged_at_ms  INTEGER NOT NULL,
    not_before_ms INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS record (
    kind          TEXT    NOT NULL,
    record_id     TEXT    NOT NULL,
    merchant_id   TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    due_at_ms     INTEGER NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    body          TEXT    NOT NULL,
    PRIMARY KEY (kind, record_id)
);

CREATE TABLE IF NOT EXISTS payout (
    payout_id      INTEGER PRIMARY KEY,
    terminal_no    INTEGER NOT NULL,
    merchant_id    TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    business_day   TEXT    NOT NULL,
    due_day        TEXT    NOT NULL,
    due_at_ms      INTEGER NOT NULL,
    captured_minor INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    fees_minor     INTEGER NOT NULL,
    charges_minor  INTEGER NOT NULL,
    net_minor      INTEGER NOT NULL,
    account_id     TEXT    NOT NULL,
    changed_at_ms  INTEGER NOT NULL,
    reasons        TEXT    NOT NULL,
    lines          TEXT    NOT NULL
);

CREATE TABLE IF NOT EXISTS audit (
    audit_no    INTEGER PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    merchant_id TEXT    NOT NULL,
    result      TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    before      TEXT    NOT NULL,
    after       TEXT    NOT NULL,
    digest      TEXT    NOT NULL
);

CREATE TABLE IF NOT EXISTS document (
    document_id TEXT    NOT NULL,
    merchant_id TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    size_bytes  INTEGER NOT NULL,
    kept_at_ms  INTEGER NOT NULL,
    sealed      TEXT    NOT NULL,
    PRIMARY KEY (document_id, merchant_id)
);

CREATE TABLE IF NOT EXISTS mark (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS identity (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

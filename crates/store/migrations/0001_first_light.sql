-- Times: columns ending in _s are Unix seconds, in _ms Unix milliseconds, both UTC. Days count from 1970-01-01.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE premise (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    town TEXT NOT NULL,
    lat_e6 INTEGER,
    lon_e6 INTEGER
);

CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email TEXT
);

CREATE TABLE transformer (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    feeder TEXT NOT NULL,
    rating_va INTEGER NOT NULL,
    lat_e6 INTEGER,
    lon_e6 INTEGER
);

CREATE TABLE collector (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    technology TEXT NOT NULL,
    network_id INTEGER NOT NULL,
    max_concurrent INTEGER NOT NULL,
    lat_e6 INTEGER,
    lon_e6 INTEGER
);

CREATE TABLE service_point (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    premise INTEGER NOT NULL REFERENCES premise(id),
    customer INTEGER REFERENCES customer(id),
    transformer INTEGER REFERENCES transformer(id),
    commodity TEXT NOT NULL
);
CREATE INDEX service_point_by_premise ON service_point(premise);
CREATE INDEX service_point_by_customer ON service_point(customer);

CREATE TABLE meter (
    id INTEGER PRIMARY KEY,
    serial TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    commodity TEXT NOT NULL,
    service_point INTEGER REFERENCES service_point(id),
    endpoint TEXT,
    collector INTEGER REFERENCES collector(id),
    address INTEGER,
    system_title BLOB NOT NULL,
    client_sap INTEGER NOT NULL,
    server_sap INTEGER NOT NULL,
    security TEXT NOT NULL,
    installed_ms INTEGER NOT NULL,
    retired_ms INTEGER,
    CHECK ((endpoint IS NULL) <> (collector IS NULL)),
    CHECK ((collector IS NULL) = (address IS NULL)),
    UNIQUE (collector, address)
);
CREATE INDEX meter_by_service_point ON meter(service_point);

CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES meter(id),
    kind INTEGER NOT NULL,
    interval_s INTEGER NOT NULL,
    UNIQUE (meter, kind)
);

-- Keys are wrapped (AES key wrap) before they come here; the store cannot read them.
CREATE TABLE wrapped_key (
    meter INTEGER NOT NULL REFERENCES meter(id),
    role TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    installed_ms INTEGER NOT NULL,
    PRIMARY KEY (meter, role)
) WITHOUT ROWID;

-- own_ceiling: invocation counters below it may have been used by us. peer, push: the highest one accepted from an answer
-- of the meter and from its pushes.
CREATE TABLE counter (
    meter INTEGER PRIMARY KEY REFERENCES meter(id),
    own_ceiling INTEGER NOT NULL,
    peer INTEGER NOT NULL,
    push INTEGER NOT NULL DEFAULT 0
);

-- What was truly read, kept forever.
CREATE TABLE raw_batch (
    start_s INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    interval_s INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    source INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    scaler INTEGER NOT NULL,
    block BLOB NOT NULL,
    PRIMARY KEY (start_s, channel, interval_s, hash)
) WITHOUT ROWID;

CREATE TABLE rule_set (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL
);

CREATE TABLE day_block (
    day INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    version INTEGER NOT NULL,
    recorded_s INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    rules INTEGER NOT NULL,
    expected INTEGER NOT NULL,
    present INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    total INTEGER NOT NULL,
    block BLOB NOT NULL,
    PRIMARY KEY (day, channel, version)
) WITHOUT ROWID;

CREATE TABLE closed_day (
    day INTEGER PRIMARY KEY,
    closed_ms INTEGER NOT NULL
);

CREATE TABLE register_read (
    meter INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    tou INTEGER NOT NULL,
    at_s INTEGER NOT NULL,
    raw INTEGER NOT NULL,
    scaler INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (meter, kind, tou, at_s, raw, scaler)
) WITHOUT ROWID;

CREATE TABLE event (
    meter INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (meter, at_ms, seq, kind)
) WITHOUT ROWID;
CREATE INDEX event_by_time ON event(at_ms);

CREATE TABLE command (
    id INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES meter(id),
    action TEXT NOT NULL,
    not_after_ms INTEGER NOT NULL,
    requested_by INTEGER,
    requested_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    detail TEXT NOT NULL,
    outcome TEXT
);
CREATE INDEX command_by_meter ON command(meter, requested_ms);
CREATE INDEX command_open ON command(state, id) WHERE state IN ('queued', 'sent');

CREATE TABLE user (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT,
    customer INTEGER REFERENCES customer(id),
    service_point INTEGER REFERENCES service_point(id),
    disabled INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    user INTEGER NOT NULL REFERENCES user(id),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_by_expiry ON session(expires_ms);

CREATE TABLE push_log (
    id INTEGER PRIMARY KEY,
    received_ms INTEGER NOT NULL,
    meter INTEGER,
    peer TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX push_log_by_meter ON push_log(meter, received_ms);

CREATE TABLE finding (
    day INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    rule TEXT NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    version INTEGER NOT NULL,
    severity TEXT NOT NULL,
    sentence TEXT NOT NULL,
    found_ms INTEGER NOT NULL,
    PRIMARY KEY (day, channel, origin, rule, first)
) WITHOUT ROWID;
CREATE INDEX finding_by_channel ON finding(channel, day);

CREATE TABLE channel_stats (
    channel INTEGER PRIMARY KEY,
    stats BLOB NOT NULL
);

CREATE TABLE weather (
    at_s INTEGER PRIMARY KEY,
    temperature_dc INTEGER NOT NULL,
    irradiance_w_m2 INTEGER
);

CREATE TABLE health (
    meter INTEGER PRIMARY KEY REFERENCES meter(id),
    last_heard_ms INTEGER,
    last_read_ms INTEGER,
    rtt_ms INTEGER,
    clock_offset_ms INTEGER,
    last_failure_ms INTEGER,
    last_failure TEXT
);

CREATE TABLE hop (
    meter INTEGER NOT NULL REFERENCES meter(id),
    position INTEGER NOT NULL,
    from_node TEXT NOT NULL,
    to_node TEXT NOT NULL,
    signal_dbm INTEGER,
    PRIMARY KEY (meter, position)
) WITHOUT ROWID;

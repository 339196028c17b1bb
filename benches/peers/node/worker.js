'use strict';
// One worker process: takes jobs, sends to their recipients, records what APNs answered, one row for each recipient.

const { Worker } = require('bullmq');
const apn = require('@parse/node-apn');
const { Pool } = require('pg');
const settings = require('./settings');

/** A job that comes again, because its worker died or somebody had no answer, sends only to those who are left. */
const WAITING = {
  name: 'waiting',
  text: `select resident_no, device_token from recipient
         where resident_no = any($1::integer[])
           and not exists (select from outcome where outcome.resident_no = recipient.resident_no)`,
};
const RECORD = {
  name: 'record',
  text: `insert into outcome (resident_no, status, apns_id, reason)
         select * from unnest($1::integer[], $2::smallint[], $3::uuid[], $4::text[])
         on conflict (resident_no) do nothing`,
};

function connectToApns() {
  const { addresses, credentials } = settings.providers();
  const [address, port] = addresses.apns.split(':');
  return new apn.Provider({
    token: { key: Buffer.from(credentials.apns_key_p8), keyId: credentials.apns_key_id, teamId: credentials.apns_team_id },
    ca: [Buffer.from(credentials.ca_pem)],
    address,
    port: Number(port),
    // APNs allows one stream until the first valid request, then announces more. Without this, node:http2 takes 100 for
    // granted until it has read the announcement, and all but one are refused.
    peerMaxConcurrentStreams: 1,
  });
}

function notification() {
  const { topic, collapse_id, priority, expires_after_s, payload } = settings.message;
  const note = new apn.Notification();
  note.topic = topic;
  note.pushType = 'alert';
  note.priority = priority;
  note.collapseId = collapse_id;
  note.expiry = Math.floor(Date.now() / 1000) + expires_after_s;
  note.rawPayload = payload;
  return note;
}

/** Whether APNs would answer the same again. */
const isFinal = status => Number.isInteger(status) && status !== 429 && status < 500;

/** The rows of everybody whom APNs gave a final answer about, as columns. */
function answers(residents, { sent, failed }) {
  const answered = [
    ...sent.map(({ device, ...answer }) => [residents.get(device), 200, answer['apns-id'] ?? null, null]),
    ...failed
      .filter(({ status }) => isFinal(status))
      .map(({ device, status, response, ...answer }) => [
        residents.get(device),
        status,
        answer['apns-id'] ?? null,
        response?.reason ?? null,
      ]),
  ];
  return [0, 1, 2, 3].map(column => answered.map(row => row[column]));
}

async function main() {
  // Never more than the library's own default of ten connections: PostgreSQL has a hundred for everybody.
  const database = new Pool({ connectionString: settings.postgres, max: Math.min(settings.jobsAtOnce, 10) });
  const provider = connectToApns();

  const send = async job => {
    const { rows } = await database.query({ ...WAITING, values: [job.data.residents] });
    if (rows.length === 0) return;
    const residents = new Map(rows.map(row => [row.device_token, row.resident_no]));
    const result = await provider.send(notification(), [...residents.keys()]);
    const columns = answers(residents, result);
    await database.query({ ...RECORD, values: columns });
    const unanswered = rows.length - columns[0].length;
    if (unanswered > 0) {
      const { error, status } = result.failed.find(failure => !isFinal(failure.status)) ?? {};
      throw new Error(`${unanswered} of ${rows.length} without a final answer: ${error?.message ?? status}`);
    }
  };

  const worker = new Worker(settings.queue, send, {
    connection: { url: settings.redis },
    prefix: settings.prefix,
    concurrency: settings.jobsAtOnce,
    removeOnComplete: { count: 100 },
    removeOnFail: { count: 5000 },
  });
  worker.on('error', error => console.error(`worker: ${error.message}`));
  worker.on('failed', (job, error) => console.error(`job ${job?.id}: ${error.message}`));

  const stop = async () => {
    await worker.close();
    provider.shutdown();
    await database.end();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  await Promise.all([worker.waitUntilReady(), database.query('select')]);
  console.log('ready');
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});

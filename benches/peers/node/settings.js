'use strict';
// What producer and workers share, from the environment.

const fs = require('node:fs');
const path = require('node:path');

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

module.exports = {
  postgres: required('PEER_POSTGRES'),
  redis: required('PEER_REDIS'),
  /** Prefix of all keys, so that the keys of this run can be found and removed. */
  prefix: required('PEER_QUEUE'),
  queue: 'push',
  /** Recipients of one job. */
  recipientsPerJob: Number(process.env.PEER_RECIPIENTS_PER_JOB ?? 250),
  /** Jobs that one process works on at a time: together the 1,000 streams that APNs allows on a connection. */
  jobsAtOnce: Number(process.env.PEER_JOBS_AT_ONCE ?? 4),
  message: JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'message.json'), 'utf8')),
  providers: () => JSON.parse(fs.readFileSync(required('PEER_PROVIDERS'), 'utf8')),
};

'use strict';
// Reads the audience and enqueues it: one job for every few hundred recipients, named by number, a page of jobs in one addBulk.

const { Queue } = require('bullmq');
const { Client } = require('pg');
const settings = require('./settings');

const PAGE = 10_000;
const NEXT_PAGE = {
  name: 'next-page',
  text: 'select resident_no from recipient where resident_no > $1 order by resident_no limit $2',
  rowMode: 'array',
};

function jobsOf(residents) {
  const jobs = [];
  for (let from = 0; from < residents.length; from += settings.recipientsPerJob) {
    jobs.push({ name: 'send', data: { residents: residents.slice(from, from + settings.recipientsPerJob) } });
  }
  return jobs;
}

async function main() {
  const database = new Client({ connectionString: settings.postgres });
  await database.connect();
  const queue = new Queue(settings.queue, {
    connection: { url: settings.redis, enableOfflineQueue: false },
    prefix: settings.prefix,
    defaultJobOptions: { attempts: 5, backoff: { type: 'exponential', delay: 500 } },
  });
  queue.on('error', error => console.error(`queue: ${error.message}`));
  await queue.waitUntilReady();

  const page = async after => (await database.query({ ...NEXT_PAGE, values: [after, PAGE] })).rows.map(([resident]) => resident);
  let residents = await page(0);
  console.log(`enqueue ${Date.now() / 1000}`);
  while (residents.length > 0) {
    await queue.addBulk(jobsOf(residents));
    residents = await page(residents.at(-1));
  }
  await queue.close();
  await database.end();
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});

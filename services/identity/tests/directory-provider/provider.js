// A directory of staff of another make, on loopback: `node provider.js <port> <address to come back to>`. Everybody gets in with any password and is
// called as they say; it is asked by nobody but the test that has started it, and ends with it.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, back] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(issuer, {
  clients: [{ client_id: 'fenghuo', client_secret: 'between the directory and us', redirect_uris: [back], grant_types: ['authorization_code'], response_types: ['code'] }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'of-this-run' }] },
  cookies: { keys: ['of this run'] },
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
});

provider.listen(Number(port), '127.0.0.1', () => console.log('open'));
process.stdin.resume().on('end', () => process.exit(0));

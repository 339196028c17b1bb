// Words for what is told about one's own registration.
import { say } from '../words/say.svelte.ts';
import type { OwnNotice, Profile } from './contract.ts';

/** How my document stands. */
export const identityStanding = (identity: Profile['identity']) =>
  say(...({
    none: ['未填写', 'not given'],
    claimed: ['待核验：现在还不会按证件查找与您有关的提醒', 'to be proved: alerts do not find you by it yet'],
    proved: ['已核验', 'proved'],
  } satisfies Record<Profile['identity'], [string, string]>)[identity]);

/** What happened. */
export const noticeWord = (kind: OwnNotice['kind']) =>
  say(...({
    signed_in_elsewhere: ['有一台新设备登录了您的账号。如果不是您，请在“我的设备”中退出它。', 'Somebody signed in to you on another device. If it was not you, sign it out under My devices.'],
    identity_proved: ['您的证件已核验，今后会按证件查找与您有关的提醒。', 'Your identity document is proved: alerts find you by it.'],
    identity_taken: ['您登记的证件经核验转到了另一位居民名下。', 'Your identity document was proved to be another resident’s.'],
    identity_replaced: ['您的另一份证件已经核验，代替了原来的证件。如非本人办理，请联系社区。', 'Another document of yours was proved, in place of the one before. If that was not you, tell your community.'],
    identity_put_back: ['一份证件因原持有人提出异议，已回到原持有人名下。请带证件到社区核验。', 'A document went back to whom it belonged to before, who objected. Take it to your community.'],
    consent_withdrawn_by_sms: ['一条来自您手机号的短信退订了健康提醒，现在不再向您发送。如非本人操作，请在“我的”中重新同意，或用短信回复 HF。', 'A message from your number stopped health alerts: none are sent to you. If that was not you, consent again under Me, or reply HF by SMS.'],
    consent_resumed_by_sms: ['一条来自您手机号的短信恢复了健康提醒。如非本人操作，请在“我的”中撤回同意。', 'A message from your number has health alerts sent to you again. If that was not you, withdraw under Me.'],
    number_changed: ['您的登记已改用新的手机号。', 'You are registered with your new number.'],
    standing_lifted: ['对您的一项要求已经解除。', 'Something that was asked of you has been lifted.'],
    standing_again: ['一项已解除的要求重新生效：解除它的结果被来源撤回。请看“对我的要求”。', 'Something that had been lifted stands again: the result that lifted it was taken back. See “What is asked of me”.'],
  } satisfies Record<OwnNotice['kind'], [string, string]>)[kind]);

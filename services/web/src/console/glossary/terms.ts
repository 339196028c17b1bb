// The words of the platform in both languages: what each means where staff meet it. One list for the glossary and for the help beside fields.
import { say } from '../../words/say.svelte.ts';

type Pair = readonly [zh: string, en: string];

export interface Term {
  word: Pair;
  meaning: Pair;
  /** The page of the console on which one works with it. */
  page?: string;
}

export const sections = {
  writing: ['写弹窗', 'Writing an alert'],
  review: ['审核', 'Review'],
  sending: ['推送', 'Sending'],
  ending: ['结束', 'Ending'],
  people: ['居民', 'Residents'],
  records: ['数据来源', 'Records'],
  safety: ['安全与留痕', 'Safety and the trail'],
} as const satisfies Record<string, Pair>;

export type Section = keyof typeof sections;

const terms = {
  writing: {
    alert: { word: ['弹窗', 'Alert'], meaning: ['发给一批居民的一条健康提醒，可同时发到手机弹窗、短信和公共屏幕。每条都有五位短码，短信里印着，凭它可以查到。', 'One health warning to a group of residents: as a pop-up on phones, as an SMS, on public screens. Each has a short code, printed in every SMS, by which it is found.'], page: '/alerts' },
    headline: { word: ['标题', 'Headline'], meaning: ['锁屏上最先看到的一行。写发生了什么或要做什么，不写单位名称。', 'The line seen first on a locked phone. Say what happened or what to do, not who you are.'] },
    body: { word: ['正文', 'What happened'], meaning: ['发生了什么、与谁有关。不写任何人的姓名、证件号、电话或住址，平台会拦下。', 'What happened and whom it concerns. No names, identity numbers, telephones or homes: the platform stops them.'] },
    instruction: { word: ['措施要求', 'What to do'], meaning: ['居民现在要做的事，一步一句，最要紧的写在最前。', 'What residents are to do now, one step a sentence, the most important first.'] },
    sms: { word: ['短信', 'SMS'], meaning: ['发给没有应用的人。签名、咨询方式和回复方法由平台加上；最多八段，越长到得越慢。', 'For those without the app. Signature, contact and how to reply are added; eight parts at most, and the longer the slower.'] },
    purpose: { word: ['发布目的', 'Purpose'], meaning: ['为什么要打扰这些人：想让什么不发生。审核员用它判断受众是否必要；居民看不到。', 'Why these people are disturbed: what is to be prevented. Reviewers judge the audience by it; residents do not see it.'] },
    contact: { word: ['咨询方式', 'Whom to ask'], meaning: ['居民看完仍有疑问时找谁：单位和电话。每种渠道都会显示。', 'Whom residents ask when something is unclear: a unit with its telephone. Every channel shows it.'] },
    source_note: { word: ['信息来源', 'Where it comes from'], meaning: ['依据什么写的：报告编号、现场采样、上级通知。只有工作人员看得到；没有来源的弹窗不应通过。', 'What it rests on: a report, a sample, an order. Only staff see it; without a source no alert should pass.'] },
    category: { word: ['类别', 'What it is about'], meaning: ['按国际通用警报协议（CAP）分类。决定图标和检索，不改变发送方式。', 'The category of the common alerting protocol (CAP). It decides sign and search, not how it is sent.'] },
    urgency: { word: ['紧迫程度', 'How soon to act'], meaning: ['居民须多快行动。它只是内容的一部分；是否半小时内推送由“紧急”与“一般”决定。', 'How soon residents have to act. It is part of the content; whether it is sent within half an hour is decided by urgent or routine.'] },
    severity: { word: ['严重程度', 'How bad it is'], meaning: ['若不行动，危害有多大。不要为了引起注意而调高。', 'How great the harm is if nobody acts. Do not raise it to be noticed.'] },
    certainty: { word: ['确定程度', 'How sure it is'], meaning: ['已经发生，还是可能发生。记录被更正后要随之改。', 'Whether it has happened or may happen. Change it when records are corrected.'] },
    expires_at: { word: ['有效期', 'Valid until'], meaning: ['到这一刻，没送出的不再送，屏幕撤下，应用里归入已结束。要长于免打扰时段，否则没有人收到。', 'From then on nothing more is sent, screens are cleared and the app shows it as over. It has to outlast the quiet hours, or nobody receives it.'] },
    ack_window: { word: ['确认时限', 'Time to acknowledge'], meaning: ['每个人从送达起有这么久按“我已知晓”；过后提醒一次，仍不确认的转社区随访。', 'How long each person has from the hand-over to press “I have read this”. Then they are reminded once; who stays silent is visited.'] },
    place: { word: ['相关地点', 'The place'], meaning: ['弹窗说的公共地点，如市场、车站。绝不写某人的家。', 'The public place it is about, a market or a station. Never somebody’s home.'] },
    display: { word: ['公共屏幕', 'Public screens'], meaning: ['车站、商场、医院等处由平台控制的屏幕。只显示标题和措施，不显示个人内容。', 'Screens in stations, malls and hospitals that the platform controls. They show headline and measure, nothing personal.'], page: '/screens' },
    audience: { word: ['受众', 'Who gets it'], meaning: ['按区域、行业和语言选出的人，或由记录点名的人。批准的受众就是发送的受众，多一个区也发不出去。', 'People selected by area, industry and language, or named by records. The audience that was approved is the one that is sent to: not one district more.'] },
    exercise: { word: ['演练', 'Exercise'], meaning: ['只发给报名参加演练的人，每条都标明“演练”。在技术上不可能发给其他人。', 'Reaches enrolled people only, and every message says so. It cannot reach anybody else.'] },
    district: { word: ['属于', 'Whose alert'], meaning: ['属于一个区县的由该区县初审；面向全市或几个区县的由市级指挥部初审。', 'One district’s alert is first reviewed there; one for the city or several districts by the city command.'] },
  },
  review: {
    draft: { word: ['草稿', 'Draft'], meaning: ['还在写，或被退回修改。没有人收到。', 'Being written, or returned to be mended. Nobody receives it.'] },
    first_review: { word: ['初审', 'First review'], meaning: ['区县审核员（跨区的由市级）核对信息完整、准确、来源清楚、措施合理。', 'The district reviewer, or the city for more than one district, makes sure that it is complete, accurate, sourced and reasonable.'] },
    city_review: { word: ['市级审核', 'City review'], meaning: ['市级指挥部核对合法合规、措施和受众。批准后才会发送。撰写人、初审人、批准人是三个不同的人。', 'The city command looks at lawfulness, measure and audience. Nothing is sent before. Author, first reviewer and approver are three people.'] },
    urgent: { word: ['紧急', 'Urgent'], meaning: ['市级指挥部一人提交、另一人确认，30 分钟内送达，不分昼夜。', 'Composed by one officer of the city command and confirmed by another; with everybody within 30 minutes, day or night.'], page: '/urgent' },
    routine: { word: ['一般', 'Routine'], meaning: ['经两级审核，2 小时内送达；免打扰时段内顺延。', 'Reviewed twice, with everybody within 2 hours that are not quiet.'] },
    second_officer: { word: ['第二人确认', 'Second officer'], meaning: ['紧急推送、撤回、解除和账号变更都须由另一个人在自己的电脑上确认。', 'Urgent alerts, withdrawals, all-clears and changes of accounts need a second person at their own screen.'] },
    checklist: { word: ['核对项', 'Checklist'], meaning: ['逐项回答：是、否，或不适用。答“否”要写明原因，并且只能退回。答案随这一步留存。', 'Answered item by item: yes, no, or not applicable. A no says why, and only a return is left. The answers are kept with the step.'] },
    comment: { word: ['批注', 'Comment'], meaning: ['写在某段文字旁边的意见，可回复、可解决。它记得写在哪一版，文字改了会标明。', 'A remark beside a passage, to be replied to and resolved. It remembers the version it was made on and says when its words have changed.'] },
    returned: { word: ['退回', 'Return'], meaning: ['送回撰写人修改，附理由和标记的文字。再次提交时，审核员先看到改了什么。', 'Sent back to its author with a reason and the words meant. When it comes again, the reviewer first sees what changed.'] },
    claim: { word: ['认领', 'Claim'], meaning: ['告诉同事您正在审核，一刻钟后自动放开。它不锁住别人：紧急的不能等人吃完饭。', 'Tells colleagues that you are reviewing it; lapses after a quarter of an hour. It locks nobody out: an urgent alert waits for nobody’s lunch.'] },
    presence: { word: ['正在查看', 'Who has it open'], meaning: ['谁正打开或修改这一条，保存之前就能看到。', 'Who has it open or is changing it, seen before anybody saves.'] },
    conflict: { word: ['冲突', 'Conflict'], meaning: ['同一区域已有弹窗要求相反的措施，或说同一件事。相反的须先知悉才能批准。', 'Another alert in the same area asks for the opposite, or says the same again. The opposite has to be known before it is approved.'] },
    seal: { word: ['封存', 'Seal'], meaning: ['批准的那一刻，每种语言的文字和受众各记一个指纹；发送前再比一次，不一样就不发，并报警。', 'At the approval a digest of each language’s texts and of the audience is kept; before sending it is compared again: what differs is not sent and rings an alarm.'] },
    bulk: { word: ['并列审核', 'Review together'], meaning: ['一次决定多条，但每条都要先看全文、来源和改动，才能勾选。一条不成不影响其他。', 'Many decided at once; but each has to be looked at whole, with source and changes, before it can be ticked. One that fails stops no other.'] },
    caution: { word: ['请注意', 'Mind that'], meaning: ['没有错，但有后果：例如没有人收得到、夜间不发。发出的人须勾选知悉。', 'Nothing is wrong, but something follows: it reaches nobody, or not at night. Whoever sends it has to say that they know.'] },
    version: { word: ['版本', 'Version'], meaning: ['每次修改或决定加一。您决定的是您看到的那一版；别人已改动的，您的决定不会生效。', 'Goes up with every change or decision. You decide on the version that you see; if somebody changed it since, your decision is not made.'] },
  },
  sending: {
    quiet_hours: { word: ['免打扰时段', 'Quiet hours'], meaning: ['夜间不发一般弹窗，顺延到早上。紧急弹窗不受限制。', 'Routine alerts are not sent at night but in the morning. Urgent ones always are.'], page: '/settings' },
    deadline: { word: ['期限', 'Deadline'], meaning: ['批准后，所有人须在这一刻前送达或查明送不到。平台一直盯着，赶不上会提前报警。', 'When everybody has to be handed over or known to be unreachable. The platform watches it and warns before it is missed.'] },
    handed_over: { word: ['已送达通道', 'Handed over'], meaning: ['推送平台或短信中心已收下这条消息，还不等于本人看过。', 'The provider took the message. It does not mean that the person has seen it.'] },
    acknowledged: { word: ['已确认', 'Acknowledged'], meaning: ['本人按了“我已知晓”，或短信回复了“收到”。', 'The person pressed “I have read this”, or answered the SMS.'] },
    unreachable: { word: ['无法送达', 'Unreachable'], meaning: ['应用和短信都到不了。点名的人会转社区上门。', 'Neither app nor SMS gets there. Somebody named by records is visited.'] },
    wave: { word: ['轮次', 'Wave'], meaning: ['首次推送是第一轮，二次提醒是第二轮，告知撤回是另一轮。', 'The first push is one, the reminder the second, the word that it has ended another.'] },
    reminder: { word: ['二次提醒', 'Reminder'], meaning: ['过了确认时限还没确认的人，换一种方式再发一次，只一次。', 'Who has not acknowledged in time is told once more, another way where there is one. Only once.'] },
    channel: { word: ['渠道', 'Channel'], meaning: ['应用弹窗、短信、公共屏幕。应用送不到的自动改发短信。', 'App, SMS, public screens. Whom the app does not reach gets the SMS.'] },
    forecast: { word: ['预计', 'Forecast'], meaning: ['按通道限额和眼下速度推算最后一人何时送达。批准之前就能看到赶不赶得上。', 'When the last person will be reached, by the limits and rates of the channels. Seen before it is approved.'] },
    held: { word: ['已停止，核实中', 'Stopped'], meaning: ['一人即可停止正在发送的弹窗，查明后恢复或撤回。停止期间一条也不发。', 'One officer can stop what is being sent; then it goes on or is withdrawn. Nothing is sent meanwhile.'] },
  },
  ending: {
    withdraw: { word: ['撤回', 'Withdrawal'], meaning: ['发错了。每个收到的人在同样的渠道被告知，由第二人确认。', 'It was false. Everybody who had it is told on the same channels; a second officer confirms.'] },
    all_clear: { word: ['解除', 'All clear'], meaning: ['情况结束了，弹窗当时是对的。每个收到的人被告知可以恢复。', 'It is over; the alert was right. Everybody who had it is told.'] },
    correct: { word: ['更正', 'Correction'], meaning: ['内容有误，用新的弹窗代替旧的，并说明哪里改了。', 'Something in it was wrong: a new alert takes its place and says what changed.'] },
    cancelled: { word: ['已撤销', 'Withdrawn'], meaning: ['停止发送，收到过的人已被告知它不再有效。', 'Not sent any more; who had it has been told that it does not hold.'] },
    superseded: { word: ['已被更正', 'Corrected'], meaning: ['有一条更正代替了它。旧的仍可查看。', 'A correction took its place. The old one can still be read.'] },
    closed: { word: ['已结束', 'Ended'], meaning: ['有效期到了。', 'Its validity is over.'] },
    refused: { word: ['已驳回', 'Refused'], meaning: ['审核时终止，不能再改再交。没有人收到。', 'Ended in review; it cannot be handed in again. Nobody received it.'] },
    playbook: { word: ['处置方案', 'Playbook'], meaning: ['现在谁可以撤回、更正或解除这一条，谁在线。', 'Who may withdraw, correct or clear it now, and who is signed in.'] },
  },
  people: {
    follow_up: { word: ['社区随访', 'Follow-up'], meaning: ['提醒后仍不确认，或送不到的人，由社区上门或打电话。', 'Who stays silent after the reminder, or cannot be reached, is called or visited by their community.'], page: '/community' },
    standing: { word: ['个人要求', 'Standing'], meaning: ['一条弹窗给一个人留下的要求：依据、到什么时候、怎样解除、找谁。本人都看得到，也可以提异议。', 'What an alert leaves with a person: on what evidence, until when, what lifts it, whom to ask. The person sees it all and may object.'], page: '/standings' },
    objection: { word: ['异议', 'Objection'], meaning: ['居民认为要求不对。由另一个单位在期限内答复。', 'A resident says that it is wrong. Another unit answers within its time.'] },
    named_by_hand: { word: ['由人点名', 'Named by hand'], meaning: ['没有记录支持、由工作人员点名的人。列在清单里供审计查看。', 'People named by staff without a record. They stand in a list for the auditor.'], page: '/named-by-hand' },
    feedback: { word: ['居民反馈', 'Feedback'], meaning: ['居民对弹窗写的话：看不懂、有误、求助。求助的先答。', 'What residents wrote about an alert: unclear, wrong, in need. Who is in need is answered first.'], page: '/feedback' },
    masked: { word: ['脱敏', 'Masked'], meaning: ['只显示到看不出是谁的程度。要看本人信息须写理由，每次都留痕。', 'Shown only so far that nobody can be recognised. To open who it is takes a reason, and each time leaves a trace.'] },
  },
  records: {
    record: { word: ['记录', 'Record'], meaning: ['来源单位报来的一条风险信息：检测结果、接触、地点。按来源和来源编号只存一次。', 'One piece of risk information from a source: a test result, a contact, a place. Kept once by its source and number.'], page: '/sources' },
    rule: { word: ['规则', 'Rule'], meaning: ['什么样的记录在多长时间里聚到一起，就写成一条弹窗草稿。由两人启用，有版本。', 'Which records, gathered within which time, become a draft alert. Activated by two people, and versioned.'], page: '/rules' },
    waiting_list: { word: ['待放行的名单', 'List that waits'], meaning: ['和来源平时不同的名单先不算数，等人看过放行或作废。', 'A list unlike what its source usually brings does not count until somebody releases or discards it.'], page: '/sources' },
    ended_record: { word: ['更正或撤回的记录', 'Records taken back'], meaning: ['来源说记录有误。依据它的弹窗须先决定怎么办才能往下走。', 'Its source says that a record was wrong. What rests on it has to be decided about before it goes on.'] },
  },
  safety: {
    audit_trail: { word: ['审计留痕', 'Audit trail'], meaning: ['每次决定、每次打开个人信息、每次导出都记一条，不能改，任何人都能核验。', 'Every decision, every opening of personal data and every export is an entry that nobody can change and anybody can check.'] },
    fresh_proof: { word: ['再次验证', 'Fresh proof'], meaning: ['发出紧急弹窗等重大操作前，再证明一次是您本人。', 'Before great steps, such as an urgent push, you prove once more that it is you.'], page: '/security' },
    export: { word: ['导出', 'Export'], meaning: ['把列表存成表格文件。个人信息已脱敏；每次导出连同条件和行数都留痕，每人每天有限。', 'A list as a file. People are masked; each export is kept with filters and rows, and is limited a day.'], page: '/alerts' },
    scope: { word: ['管辖范围', 'Scope'], meaning: ['您能看到和处理的区域或行业。范围之外的，平台不会给出。', 'The area or industry that you see and work on. What lies outside is not shown.'] },
  },
} as const satisfies Record<Section, Record<string, Term>>;

/** Every word there is help for. */
export type TermName = { [S in Section]: keyof (typeof terms)[S] }[Section];

/** A word with where it stands. */
export interface Entry extends Term { name: TermName; section: Section }

/** All words in the order of the glossary. */
export const entries: readonly Entry[] = (Object.keys(sections) as Section[]).flatMap((section) =>
  Object.entries(terms[section] as Record<string, Term>).map(([name, term]): Entry => ({ ...term, name: name as TermName, section })),
);

const byName = new Map(entries.map((entry) => [entry.name, entry]));

/** What is said of one word. */
export function termOf(name: TermName): Entry {
  return byName.get(name)!;
}

/** The words in which everything that was typed occurs, in either language; all of them where nothing was. */
export function found(typed: string): Entry[] {
  const asked = typed.trim().toLowerCase().split(/\s+/u).filter(Boolean);
  return entries.filter((entry) => {
    const text = [...entry.word, ...entry.meaning].join(' ').toLowerCase();
    return asked.every((part) => text.includes(part));
  });
}

export const sectionWord = (section: Section) => say(...(sections[section] as Pair));
export const wordOf = (entry: Entry) => say(...entry.word);
export const meaningOf = (entry: Entry) => say(...entry.meaning);

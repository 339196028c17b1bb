// What a step asks, in words, and what it means for the case and for whoever brought it.
import { say } from '../../words/say.svelte.ts';
import type { StaffEvent } from './contract.ts';
import type { Name } from './events.ts';

/** What taking the step does, where its name does not say all of it. */
export function meansOf(event: StaffEvent): string {
  switch (event) {
    case 'register':
      return say('转为登记，由另一位坐席核对后受理。', 'It is registered; another operator checks it before it is accepted.');
    case 'confirm_registration':
      return say('您确认登记的内容与群众所说一致。', 'You confirm that it says what was said.');
    case 'decline':
      return say('群众会看到不予受理的理由，以及可以去哪里。', 'They read why it is not taken, and where to go instead.');
    case 'route':
      return say('主办单位负责到底，协办单位配合；联络员立即收到。', 'The lead sees it to its end, others assist; their liaison has it at once.');
    case 'sign_for':
      return say('签收后由您的单位办理，群众会看到由谁办。', 'Your unit deals with it from now on, and the citizen sees who has it.');
    case 'refuse_competence':
      return say('每个单位对一件诉求只能提出一次。期限从收到之日起继续计算；再有异议由督办裁定，裁定后不得退回。', 'Once for a case. The time goes on from when it came; a second refusal is decided by supervision and binds.');
    case 'decide_dispute':
      return say('裁定后该单位不得再退回。', 'The unit cannot refuse it any more.');
    case 'ask_citizen':
      return say('办结期限暂停，等群众补充；暂停总天数有上限，群众会看到。', 'The time to finish stops until they answer, up to a limit; they see that it does.');
    case 'ask_extension':
      return say('只能申请一次，由督办决定；群众会收到告知。', 'Once only; supervision decides, and the citizen is told.');
    case 'submit_result':
      return say('由本单位负责人审定；审定前群众看不到。', 'The lead of your unit decides; the citizen sees nothing before.');
    case 'decide':
      return say('审定后告知群众。您不能审定自己写的结果。', 'It is told to the citizen then. Nobody decides what they wrote themselves.');
    case 'tell':
      return say('书面答复请先打开“答复函”打印。', 'For a letter open and print it first.');
    case 'merge':
      return say('并入后各自的编号仍可查询，主件的答复同时告知每一位。', 'Every number goes on to work, and everybody is told the answer.');
    case 'answer_at_once':
      return say('当场答复的内容会记录在案，诉求随即办结。', 'What is told is kept, and the case is closed with it.');
    default:
      return '';
  }
}

export function labelOf(event: StaffEvent, name: Name): string {
  switch (name) {
    case 'text':
      if (event === 'submit_result') return say('办理情况和结论（内部）', 'What was found (for staff)');
      if (event === 'ask_citizen') return say('请群众补充什么', 'What they are asked');
      if (event === 'call_back') return say('群众的话（不满意的须写明，将转复核）', 'What they said (needed where they are not satisfied: it is looked at again)');
      if (event === 'answer_at_once') return say('答复内容', 'The answer');
      return say('内容', 'What is to be said');
    case 'answer':
      return say('给群众的答复', 'The answer to the citizen');
    case 'reason':
      return event === 'refuse_competence' ? say('职责依据（法规、职责规定等）', 'On what ground (law, duties of the unit)') : say('理由', 'Why');
    case 'where_to':
      return say('群众可以去哪里（可不填）', 'Where they can go instead (if anywhere)');
    case 'task':
      return say('工作要求（可不填）', 'What is to be done (if it is not plain)');
    case 'ground':
      return say('不予受理的情形', 'Ground');
    case 'nature':
      return say('性质', 'Nature');
    case 'urgency':
      return say('紧急程度', 'Urgency');
    case 'grade':
      return say('难度', 'Grade');
    case 'by':
      return say('告知方式', 'How they are told');
    case 'outcome':
      return say('回访结果', 'What came of the call');
    case 'lead':
      return say('主办单位', 'Lead unit');
    case 'proposal':
      return say('建议承办单位', 'Who should have it');
    case 'unit':
      return say('解除协办的单位', 'Which unit is let go');
    case 'assists':
      return say('协办单位', 'Assisting units');
    case 'working_days':
      return say('延长几个工作日', 'How many working days more');
    case 'into':
      return say('并入哪一件（编号）', 'Into which case (number)');
    case 'visible':
      return say('群众可以看到', 'The citizen may read it');
  }
}

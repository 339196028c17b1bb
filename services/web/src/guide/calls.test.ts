import { expect, test } from 'vitest';
import { cast } from './calls.ts';

const account = (login: string, title: string) => ({ login, title, password: '' });

test('everybody who has a part is found by their role, and whoever checks is somebody else', () => {
  const found = cast([account('hotline.one', '热线坐席 甲'), account('lead', '承办单位负责人 渝中疾控'), account('hotline.two', '热线坐席 乙'), account('handler', '承办单位经办人 渝中疾控')]);
  expect([found.operator?.login, found.checker?.login, found.handler?.login, found.lead?.login]).toEqual(['hotline.one', 'hotline.two', 'handler', 'lead']);
  expect(found.supervisor).toBeUndefined();
});

test('a city without a hotline has no such story', () => expect(cast([account('admin', '系统管理员')]).operator).toBeUndefined());

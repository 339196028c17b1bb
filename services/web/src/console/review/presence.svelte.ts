// Tells the platform that an alert lies open here, and hears who else has it open. Where it cannot be told, the page stands without it.
import { Problem } from '../../api/client.ts';
import { onWork } from '../live.svelte.ts';
import { left, present, type Other } from './contract.ts';
import { HEARTBEAT_MS, inOrder } from './presence.ts';

/** Whoever else has the alert open, as long as this page does; `editing` says whether it is changed here. To be made while a component is. */
export class Present {
  others = $state.raw<Other[]>([]);

  constructor(question: () => { alert: string; editing: boolean; wanted: boolean }) {
    $effect(() => {
      const { alert, editing, wanted } = question();
      if (!wanted) return;
      let gone = false;
      let refused = false;
      const say = async () => {
        if (gone || refused || document.visibilityState !== 'visible') return;
        try {
          const { others } = await present(alert, editing);
          if (!gone) this.others = inOrder(others);
        } catch (thrown) {
          // Whoever may not work on it is not asked again; what is away may come back.
          refused = thrown instanceof Problem && [403, 404].includes(thrown.status);
          if (!gone) this.others = [];
        }
      };
      void say();
      const timer = setInterval(() => void say(), HEARTBEAT_MS);
      const hush = onWork((work) => work.some((one) => one.alert_id === alert && one.what === 'presence') && void say());
      const seen = () => void say();
      document.addEventListener('visibilitychange', seen);
      return () => {
        gone = true;
        clearInterval(timer);
        hush();
        document.removeEventListener('visibilitychange', seen);
        this.others = [];
        if (!refused) void left(alert).catch(() => {});
      };
    });
  }
}

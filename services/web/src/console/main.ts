import '../design/base.css';
import './dark.css';
import './print.css';
import './shade.svelte.ts';
import { mount } from 'svelte';
import Console from './Console.svelte';

const target = document.getElementById('page');
if (target) mount(Console, { target });

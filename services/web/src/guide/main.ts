// The way in for newcomers: what Fenghuo is, its three faces, and a story to play in the demo.
import '../design/base.css';
import { mount } from 'svelte';
import Guide from './Guide.svelte';

const target = document.getElementById('page');
if (target) mount(Guide, { target });

// The player of public screens.
import '../design/base.css';
import './screen.css';
import { mount } from 'svelte';
import Screen from './Screen.svelte';

const target = document.getElementById('page');
if (target) mount(Screen, { target });

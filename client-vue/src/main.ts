import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { startTheme } from './composables/theme'
import { router } from './router'
import './styles/tokens.css'
import './styles/base.css'

startTheme()
createApp(App).use(createPinia()).use(router).mount('#app')

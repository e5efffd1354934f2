import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { startTheme } from './composables/theme'
import { router } from './router'
import './styles/tokens.css'
import './styles/base.css'

startTheme()

const app = createApp(App).use(createPinia()).use(router)
// The first view asks which room the link names, so the router must know it by then.
void router.isReady().then(() => app.mount('#app'))

from django.urls import path

from users.api import auth, me

urlpatterns = [
    path("auth/register", auth.RegisterView.as_view()),
    path("auth/token", auth.TokenView.as_view()),
    path("auth/token/refresh", auth.RefreshView.as_view()),
    path("auth/logout", auth.LogoutView.as_view()),
    path("me", me.MeView.as_view()),
]

"""fastapi-users: its routers for users, and endpoints that ask for who is signed in by a JWT."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import BaseUserDatabase
from fastapi_users.jwt import generate_jwt

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect

_SECRET = "a secret of thirty-two characters"
_ADA = uuid.UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
_users = Chapter("Users")


def application() -> Application:
    """Return the application."""
    return Application(chapters=[_users])


@dataclass
class _User:
    email: str
    hashed_password: str
    id: uuid.UUID = _ADA
    is_active: bool = True
    is_superuser: bool = False
    is_verified: bool = False


_known: dict[uuid.UUID, _User] = {}


class _Database(BaseUserDatabase[_User, uuid.UUID]):
    async def get(self, id: uuid.UUID) -> _User | None:  # noqa: A002 - the name in the base class
        return _known.get(id)

    async def get_by_email(self, email: str) -> _User | None:
        return next((user for user in _known.values() if user.email == email), None)

    async def create(self, create_dict: dict[str, Any]) -> _User:
        user = _User(**create_dict, id=uuid.uuid5(_ADA, create_dict["email"]))
        effect(f"created {user.email}")
        _known[user.id] = user
        return user

    async def update(self, user: _User, update_dict: dict[str, Any]) -> _User:
        for name, value in update_dict.items():
            setattr(user, name, value)
        effect(f"updated {sorted(update_dict)}")
        return user


class _Manager(UUIDIDMixin, BaseUserManager[_User, uuid.UUID]):
    reset_password_token_secret = verification_token_secret = _SECRET


class _Read(schemas.BaseUser[uuid.UUID]):
    pass


class _Create(schemas.BaseUserCreate):
    pass


class _Update(schemas.BaseUserUpdate):
    pass


async def _manager() -> AsyncGenerator[_Manager]:
    yield _Manager(_Database())


def _strategy() -> JWTStrategy[_User, uuid.UUID]:
    return JWTStrategy(secret=_SECRET, lifetime_seconds=None)


_BACKEND = AuthenticationBackend("jwt", BearerTransport("auth/login"), _strategy)
_FASTAPI_USERS = FastAPIUsers[_User, uuid.UUID](_manager, [_BACKEND])
_SignedIn = Annotated[_User, Depends(_FASTAPI_USERS.current_user(active=True))]
_Administrator = Annotated[_User, Depends(_FASTAPI_USERS.current_user(superuser=True))]


@_users.reset
def _forget_users() -> None:
    _known.clear()
    _known[_ADA] = _User("ada@example.com", "nothing")


_forget_users()
_TOKEN = generate_jwt({"sub": str(_ADA), "aud": ["fastapi-users:auth"]}, _SECRET)
_ADA_SIGNED_IN = {"authorization": f"Bearer {_TOKEN}"}


@_users.router.get("/users/greeting")
async def greeting_for_user(user: _SignedIn, word: str = "Hello") -> str:
    return f"{word}, {user.email}"


@_users.router.delete("/users/all")
async def delete_all_users(user: _Administrator) -> None:
    effect("deleted")


_users.router.include_router(_FASTAPI_USERS.get_register_router(_Read, _Create), prefix="/auth")
_users.router.include_router(_FASTAPI_USERS.get_users_router(_Read, _Update), prefix="/users")

_users.case("who is signed in", "greeting_for_user", {"word": "Hi"}, "GET /users/greeting", credentials=_ADA_SIGNED_IN)
_users.case("nobody is signed in", "greeting_for_user", {}, "GET /users/greeting")
_users.case("not an administrator", "delete_all_users", {}, "DELETE /users/all", credentials=_ADA_SIGNED_IN)
_users.case(
    "a new user", "register_register", {"email": "grace@example.com", "password": "a long one"}, "POST /auth/register"
)
_users.case(
    "a user that exists", "register_register", {"email": "ada@example.com", "password": "a"}, "POST /auth/register"
)
_users.case("my own data", "users_current_user", {}, "GET /users/me", credentials=_ADA_SIGNED_IN)

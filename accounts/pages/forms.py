"""The forms that people fill in about themselves and each other."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.models import Tenant, User
from accounts.people import sign_in
from accounts.roles import PEOPLES_ROLES, Role
from ffapi_site.lib import scope
from ffapi_site.lib.ids import refuse_public_id
from ffapi_site.lib.lengths import length_of

_RULES = "At least 12 characters; not one that many people use."


def _password(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    # Spaces at the ends belong to it.
    attributes = {"autocomplete": autocomplete}
    return forms.CharField(
        label=label,
        strip=False,
        max_length=1000,
        help_text=help_text,
        widget=forms.PasswordInput(attributes),
    )


class CodeForm(forms.Form):
    """A code of the authenticator, or one to recover with."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="Six digits from your authenticator app, or one of your recovery codes.",
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "autofocus": True, "autocapitalize": "none"}
        ),
    )


class ProofForm(forms.Form):
    """The password once more, before something serious."""

    password = _password("Your password", "current-password")

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        """``user`` is asked for their password; where they have none, the form does not."""
        super().__init__(*args, **kwargs)
        if user is None or not user.has_usable_password():
            del self.fields["password"]

    def proves(self, request: HttpRequest, user: User) -> bool:
        """Tell whether it is them, and say in the form where it is not."""
        if sign_in.is_proved(request, user, self.cleaned_data.get("password", "")):
            return True
        self.add_error(None, "The password is wrong, or your sign-in is too long ago.")
        return False


class EnrolForm(ProofForm):
    code = forms.CharField(
        label="Code from the app",
        max_length=10,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    field_order = ("code", "password")


class NewPasswordForm(forms.Form):
    """A password twice, held against the rules for passwords."""

    new_password = _password("New password", "new-password", _RULES)
    repeated = _password("The same again", "new-password")

    def owner(self) -> User:
        """Whose it will be: a password must not look like its owner's name or address."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password = cleaned.get("new_password")
        if password is None or "repeated" not in cleaned:
            return cleaned
        if password != cleaned["repeated"]:
            self.add_error("repeated", "The two are not the same.")
        try:
            validate_password(password, self.owner())
        except ValidationError as weak:
            self.add_error("new_password", weak)
        return cleaned


class ChangePasswordForm(ProofForm, NewPasswordForm):
    field_order = ("password", "new_password", "repeated")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self._user = user

    def owner(self) -> User:
        return self._user


class NewPersonForm(NewPasswordForm):
    """Who somebody wants to be here; their address is known already."""

    # Normalised before its length counts: a character can become eighteen.
    username = UsernameField(
        label="User name",
        max_length=length_of(User, "username"),
        validators=[User.username_validator],
        help_text="What you sign in with.",
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none"}),
    )
    field_order: tuple[str, ...] = ("username", "new_password", "repeated")

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = email

    def owner(self) -> User:
        return User(username=self.cleaned_data.get("username", ""), email=self._email)

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError("This name is taken.")
        return username


class RegistrationForm(NewPersonForm):
    tenant = forms.SlugField(
        label="Name of your tenant",
        max_length=length_of(Tenant, "name"),
        validators=[refuse_public_id],
        help_text="Of your company or team: letters, digits, - and _.",
    )
    field_order = ("username", "tenant", "new_password", "repeated")

    def clean_tenant(self) -> str:
        name = str(self.cleaned_data["tenant"])
        with scope.within(scope.EVERY_TENANT):
            is_taken = Tenant.objects.filter(name__iexact=name).exists()
        if is_taken:
            raise ValidationError("This name is taken.")
        return name


class AddressField(forms.EmailField):
    """An e-mail address, normalised as it is stored before its length counts."""

    def __init__(self, **more: Any) -> None:
        super().__init__(label="E-mail address", max_length=length_of(User, "email"), **more)

    def to_python(self, value: Any) -> str:
        return User.objects.normalize_email(super().to_python(value))


class AddressForm(forms.Form):
    email = AddressField(widget=forms.EmailInput({"autocomplete": "email"}))


class ChangeAddressForm(ProofForm, AddressForm):
    field_order = ("email", "password")


class NameForm(forms.Form):
    first_name = forms.CharField(
        label="First name", max_length=length_of(User, "first_name"), required=False
    )
    last_name = forms.CharField(
        label="Last name", max_length=length_of(User, "last_name"), required=False
    )


_ROLES = [(role.value, role.label) for role in PEOPLES_ROLES]


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=_ROLES, initial=Role.DEVELOPER)


class InvitationForm(RoleForm):
    email = AddressField()
    field_order = ("email", "role")


class ResetAuthenticatorForm(ProofForm):
    username = forms.CharField(
        label="Whose",
        max_length=length_of(User, "username"),
        widget=forms.TextInput({"autocapitalize": "none"}),
    )
    reason = forms.CharField(
        label="Reason",
        min_length=5,
        max_length=500,
        help_text="How you know that it is them, and what they have lost; it goes into the log, "
        "which keeps it: no personal data.",
    )
    field_order = ("username", "reason", "password")

-- One row per customer who has a contact or ever chose: whether any contact may still be written to, and since when
-- none may.
with

as_of as (

    select * from {{ ref('int_as_of') }}

),

accounts as (

    select * from {{ ref('int_accounts') }}
    where not is_test

),

preferences as (

    select
        accounts.customer_key,
        preferences.contact_id,
        preferences.action,
        preferences.occurred_at

    from {{ ref('int_rows__email_preferences') }} as preferences
    cross join as_of
    inner join accounts on preferences.account_id = accounts.account_id
    where {{ is_current_before_as_of('preferences', 'occurred_at') }}

),

-- Identifiers of contacts are unique: a contact belongs to the account that it was delivered with last, whatever
-- account it had when it chose. Contacts of test accounts, and of accounts that nothing else names, are no customer's.
delivered_contacts as (

    select
        contacts.contact_id,
        accounts.customer_key

    from {{ ref('int_rows__contacts') }} as contacts
    left join accounts on contacts.account_id = accounts.account_id
    where contacts.row_state = 'current' and contacts.account_id is not null

),

-- A contact id that no delivery of contacts holds is not unique (exports write `primary`): it counts as a separate
-- contact in each account.
preferences_of_named_contacts as (

    select * from preferences
    where
        contact_id is not null
        and not exists (
            select 1 from delivered_contacts
            where delivered_contacts.contact_id = preferences.contact_id
        )

),

known_contacts as (

    select
        customer_key,
        contact_id

    from delivered_contacts
    where customer_key is not null

    union distinct

    select
        customer_key,
        contact_id

    from preferences_of_named_contacts

),

-- An account without contacts is its own contact.
contacts as (

    select * from known_contacts

    union distinct

    select
        preferences.customer_key,
        cast(null as string) as contact_id

    from preferences
    where not exists (
        select 1 from known_contacts
        where known_contacts.customer_key = preferences.customer_key
    )

),

-- What a contact chose, and what was chosen for its account. A delivered contact is found by its identifier alone.
choices_of_contacts as (

    select
        delivered_contacts.customer_key,
        delivered_contacts.contact_id,
        preferences.occurred_at,
        preferences.action

    from delivered_contacts
    inner join preferences on delivered_contacts.contact_id = preferences.contact_id
    where delivered_contacts.customer_key is not null

    union all

    select
        customer_key,
        contact_id,
        occurred_at,
        action

    from preferences_of_named_contacts

    union all

    select
        contacts.customer_key,
        contacts.contact_id,
        preferences.occurred_at,
        preferences.action

    from contacts
    inner join preferences on contacts.customer_key = preferences.customer_key
    where preferences.contact_id is null

),

-- At one instant the unsubscription wins.
choices as (

    select
        customer_key,
        contact_id,
        occurred_at,
        bool_or(action = 'unsubscribe') as is_unsubscription

    from choices_of_contacts
    group by customer_key, contact_id, occurred_at

),

last_subscriptions as (

    select
        customer_key,
        contact_id,
        max(case when not is_unsubscription then occurred_at end) as subscribed_at

    from choices
    group by customer_key, contact_id

),

losses as (

    select
        choices.customer_key,
        choices.contact_id,
        min(choices.occurred_at) as lost_at

    from choices
    inner join last_subscriptions
        on
            choices.customer_key = last_subscriptions.customer_key
            and choices.contact_id is not distinct from last_subscriptions.contact_id
    where
        choices.is_unsubscription
        and (
            last_subscriptions.subscribed_at is null or choices.occurred_at > last_subscriptions.subscribed_at
        )
    group by choices.customer_key, choices.contact_id

),

reach as (

    select
        contacts.customer_key,
        count(losses.lost_at) < count(*) as is_reachable,
        case when count(losses.lost_at) = count(*) then max(losses.lost_at) end as unsubscribed_at

    from contacts
    left join losses
        on
            contacts.customer_key = losses.customer_key
            and contacts.contact_id is not distinct from losses.contact_id
    group by contacts.customer_key

)

select * from reach

-- One row per contact of a customer as delivered last; empty unless published_personal_data allows it.
{{ config(meta={'is_held_back': not publishes_personal_data('contact_names')}) }}
with

contacts as (

    select * from {{ ref('int_rows__contacts') }}
    where row_state = 'current'

),

accounts as (

    select * from {{ ref('int_accounts') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

account_contacts as (

    select
        ---------- ids
        contacts.contact_id,
        customers.account_id,

        ---------- text
        contacts.full_name,
        contacts.role,

        ---------- timestamps
        contacts.created_at

    from contacts
    inner join accounts on contacts.account_id = accounts.account_id
    inner join customers on accounts.customer_key = customers.customer_key
    where {{ personal_data_is_published('contact_names') }}

)

select * from account_contacts

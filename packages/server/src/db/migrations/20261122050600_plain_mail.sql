-- concurrently
-- E-mail addresses that carry a word behind a plus, by what they are without it; others never enter it.
create index addresses_by_plain_mail on addresses (lane, organization, regexp_replace(address, '[+][^@]*@', '@'))
  where address like 'email:%+%@%';

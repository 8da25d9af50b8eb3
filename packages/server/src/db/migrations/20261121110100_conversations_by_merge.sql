-- concurrently
-- What a conversation stands for, so that its history is found whole. Ordinary conversations never enter it.
create index conversations_by_merge on conversations (lane, organization, merged_into) where merged_into is not null;

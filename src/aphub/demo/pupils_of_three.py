"""The invented pupils of Safe Space, CST AEP and Red Everywhere: what their policies add to a day."""

from aphub.demo.invented import S19, S42, Invented, of_council, of_school

END_OF_DAY, TWICE_DAILY, DAILY, WEEKLY = "end-of-day", "twice-daily", "daily", "weekly"
YARD = "Tue 09:15-11:45 in person @ The Yard"
MENTOR_AND_TUTOR = "Tue 09:15-10:15 in person @ The Yard; Tue 10:30-11:45 in person @ The Yard"
ONLINE = "Tue 10:00-11:00 online"
CST_DAY = "Tue 09:00-11:30 in person @ Long Barn; Tue 13:00-14:30 in person @ Long Barn"
CST_MORNING = "Tue 09:00-11:30 in person @ Long Barn"
WHOLE_DAY = "Tue 09:30-14:30 in person @ The Works"
THREE_DAYS = "Fri 09:30-14:30 in person @ The Works; Mon 09:30-14:30 in person @ The Works; " + WHOLE_DAY

MENTORED, TUTORED = "mentoring", "1:1 tuition at centre"
ONLINE_WORDS, BY_SCHOOL = "arranged by the school, online", "arranged by the school"

SAFE_SPACE = (
    Invented(
        "3101",
        "Ada",
        "Lorne",
        "arranged by the school, mentoring and tutoring in one morning",
        of_school("hill-school"),
        MENTOR_AND_TUTOR,
        nature=MENTORED,
        agreement=END_OF_DAY,
    ),
    Invented("3102", "Bram", "Moss", BY_SCHOOL, of_school("hill-school"), YARD, agreement=END_OF_DAY),
    *(
        Invented(
            ref, given, family, ONLINE_WORDS, of_school(school), ONLINE, nature="online", agreement=END_OF_DAY
        )
        for ref, given, family, school in (
            ("3103", "Cleo", "Nairn", "lantern-school"),
            ("3104", "Dara", "Oakes", "lantern-school"),
            ("3105", "Enid", "Prior", "kestrel-academy"),
        )
    ),
    Invented(
        "3106",
        "Finn",
        "Quill",
        "arranged by the school, mentoring",
        of_school("kestrel-academy"),
        "Tue 13:15-14:15 in person @ The Yard",
        nature=MENTORED,
        agreement=END_OF_DAY,
    ),
    Invented(
        "3107",
        "Greta",
        "Rudd",
        BY_SCHOOL,
        of_school("brook-academy"),
        YARD,
        nature=TUTORED,
        agreement=END_OF_DAY,
    ),
    Invented(
        "3108",
        "Hugo",
        "Stead",
        BY_SCHOOL,
        of_school("brook-academy"),
        YARD,
        nature=TUTORED,
        agreement=END_OF_DAY,
    ),
)

CST = (
    *(
        Invented(
            ref,
            given,
            family,
            "arranged by the council, s.19",
            of_council("northshire", "fenside-academy"),
            CST_DAY,
            arranged_by="council",
            power=S19,
            agreement=TWICE_DAILY,
        )
        for ref, given, family in (
            ("5201", "Ines", "Trent"),
            ("5202", "Jude", "Usher"),
            ("5203", "Kit", "Venn"),
        )
    ),
    Invented(
        "5204",
        "Lola",
        "Wray",
        "arranged by the council, s.42(2)",
        of_council("northshire", "orchard-school"),
        CST_MORNING,
        arranged_by="council",
        power=S42,
        agreement=TWICE_DAILY,
    ),
    Invented(
        "5205", "Milo", "Yarrow", BY_SCHOOL, of_school("orchard-school"), CST_MORNING, agreement=TWICE_DAILY
    ),
    Invented("5206", "Nell", "Addis", BY_SCHOOL, of_school("orchard-school"), CST_DAY, agreement=TWICE_DAILY),
    Invented(
        "5207", "Omar", "Birch", BY_SCHOOL, of_school("fenside-academy"), CST_MORNING, agreement=TWICE_DAILY
    ),
    Invented(
        "5208", "Peggy", "Cole", BY_SCHOOL, of_school("pier-school"), CST_MORNING, agreement=TWICE_DAILY
    ),
)

RED_EVERYWHERE = (
    Invented("6301", "Pearl", "Croft", BY_SCHOOL, of_school("hill-school"), WHOLE_DAY, agreement=DAILY),
    Invented("6302", "Ravi", "Dunne", BY_SCHOOL, of_school("hill-school"), WHOLE_DAY, agreement=DAILY),
    Invented("6303", "Suki", "Egan", BY_SCHOOL, of_school("lantern-school"), WHOLE_DAY, agreement=DAILY),
    Invented("6304", "Toby", "Ferris", BY_SCHOOL, of_school("lantern-school"), THREE_DAYS, agreement=DAILY),
    Invented("6305", "Una", "Grice", BY_SCHOOL, of_school("kestrel-academy"), WHOLE_DAY, agreement=WEEKLY),
    Invented("6306", "Vik", "Hurst", BY_SCHOOL, of_school("kestrel-academy"), WHOLE_DAY, agreement=WEEKLY),
)

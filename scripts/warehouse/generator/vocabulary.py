"""The words of a synthetic company: countries, names in several scripts, comments, wordings of reasons.

All names are made of common words; none belongs to a real person or company.
"""

# Country, region, currency, language, share of accounts, units of the currency per dollar (about).
COUNTRIES: tuple[tuple[str, str, str, str, float, float], ...] = (
    ("United States", "Americas", "USD", "en", 0.30, 1.0),
    ("Canada", "Americas", "CAD", "en", 0.06, 1.35),
    ("United Kingdom", "EMEA", "GBP", "en", 0.12, 0.79),
    ("Germany", "EMEA", "EUR", "de", 0.13, 0.92),
    ("Israel", "EMEA", "ILS", "he", 0.10, 3.7),
    ("United Arab Emirates", "EMEA", "AED", "ar", 0.08, 3.67),
    ("Saudi Arabia", "EMEA", "SAR", "ar", 0.05, 3.75),
    ("Malaysia", "APAC", "MYR", "ms", 0.10, 4.5),
    ("Japan", "APAC", "JPY", "ja", 0.06, 148.0),
)
LANGUAGES = tuple(country[3] for country in COUNTRIES)

SEGMENTS = ("SMB", "Mid-Market", "Enterprise")
INDUSTRIES = (
    "Software",
    "Retail",
    "Manufacturing",
    "Healthcare",
    "Financial Services",
    "Education",
    "Logistics",
)
CHANNELS = ("organic", "paid_search", "referral", "partner", "event", "outbound")
CAMPAIGNS = ("CMP-01", "CMP-02", "CMP-03", "CMP-04", "CMP-05", "CMP-06")
ROLES = ("Owner", "Finance", "Operations", "IT", "Purchasing")

COMPANY_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        (
            "Northern",
            "Silver",
            "Harbour",
            "Maple",
            "Granite",
            "Prairie",
            "Beacon",
            "Copper",
            "Willow",
            "Summit",
        ),
        (
            "Foods",
            "Logistics",
            "Software",
            "Textiles",
            "Tools",
            "Clinics",
            "Media",
            "Energy",
            "Supplies",
            "Partners, Inc.",
        ),
    ),
    "de": (
        ("Nordlicht", "Grünwald", "Süderfeld", "Königsau", "Straßburger", "Bergmann", "Lindenhof", "Weißtal"),
        (
            "Maschinenbau GmbH",
            "Handels GmbH",
            "Technik AG",
            "Möbel KG",
            "Spedition",
            "Druckerei",
            "Bäckerei",
            "Labor",
        ),
    ),
    "he": (
        ("אורן", "כרמל", "גליל", "ארז", "תבור", "נחל", "שקד", "רימון"),
        ('תוכנה בע"מ', "שיווק", "מערכות", "הפצה", "טכנולוגיות", "מזון", "שירותים", "לוגיסטיקה"),
    ),
    "ar": (
        ("النخيل", "الصحراء", "الواحة", "اللؤلؤة", "الأفق", "الريان", "البدر", "المنارة"),
        ("للتجارة", "للتقنية", "للخدمات", "للأغذية", "للمقاولات", "للنقل", "للطباعة", "للاستشارات"),
    ),
    "ms": (
        ("Seri", "Cahaya", "Bintang", "Mutiara", "Rimba", "Jaya", "Damai", "Melur"),
        (
            "Teknologi Sdn Bhd",
            "Perniagaan",
            "Makmur",
            "Sejahtera",
            "Pengangkutan",
            "Bina",
            "Niaga",
            "Digital",
        ),
    ),
    "ja": (
        ("青空", "若葉", "桜", "北斗", "山彦", "千里", "日の出", "風車"),
        ("商事", "工業", "物流", "食品", "電機", "製作所", "印刷", "システム"),
    ),
}

PERSON_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        ("Alex", "Robin", "Sam", "Jordan", "Casey", "Morgan"),
        ("Baker", "Fielding", "O'Rourke", "Marsh", "Quill", "Stone"),
    ),
    "de": (
        ("Kim", "Toni", "Luca", "Jona", "Sascha", "Mika"),
        ("Jäger", "Müllner", "Groß", "Schäfer", "Köhler", "Weber"),
    ),
    "he": (("נועם", "טל", "שחר", "עדי", "ליאור", "רותם"), ("גל", "שדה", "ברק", "אלון", "נוי", "פז")),
    "ar": (
        ("نور", "سلام", "صباح", "جود", "وسام", "إحسان"),
        ("الكاتب", "النجار", "الحداد", "الخياط", "الصباغ", "البناء"),
    ),
    "ms": (
        ("Nur", "Iman", "Intan", "Cahya", "Adi", "Suri"),
        ("binti Awan", "bin Laut", "bin Bukit", "binti Embun", "bin Rimba", "binti Melati"),
    ),
    "ja": (("光", "薫", "葵", "翼", "歩", "渚"), ("青山", "北川", "小野", "松井", "石田", "水野")),
}

# Comments by mood (unhappy, neutral, happy) and language.
COMMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        (
            "Support took three days to answer.",
            "Too expensive for what we get, and the price went up again.",
            "Exports keep failing.",
            "The last update broke our reports.",
        ),
        ("Does the job.", "Fine, but the mobile app is slow.", "OK so far, onboarding was a bit long."),
        (
            "Great product, great team.",
            "Saves us hours every week.",
            "Setup was quick and the training helped.",
            "We recommend it to our partners.",
        ),
    ),
    "de": (
        (
            "Der Kundendienst antwortet zu spät.",
            "Zu teuer für unsere Größe.",
            "Die Rechnung war wieder falsch.",
        ),
        ("In Ordnung, aber etwas langsam.", "Erfüllt seinen Zweck."),
        ("Sehr zufrieden, läuft ohne Störung.", "Tolle Beratung, gerne wieder."),
    ),
    "he": (
        ("השירות איטי מאוד.", "יקר מדי בשבילנו.", "המערכת נופלת כל שבוע."),
        ("בסדר, אבל יש מה לשפר.", "עושה את העבודה."),
        ("מוצר מצוין, שירות אדיב.", "חוסך לנו הרבה זמן."),
    ),
    "ar": (
        ("الدعم الفني بطيء جدا.", "السعر مرتفع مقارنة بالمنافسين.", "التطبيق يتوقف كثيرا."),
        ("جيد ولكن يحتاج إلى تحسين.", "مقبول حتى الآن."),
        ("خدمة ممتازة وفريق رائع.", "سهل الاستخدام ويوفر الوقت."),
    ),
    "ms": (
        ("Harga terlalu mahal.", "Khidmat pelanggan lambat membalas.", "Sistem selalu tergendala."),
        ("Boleh tahan, tetapi agak perlahan.", "Biasa sahaja."),
        ("Sangat bagus dan mudah digunakan.", "Pasukan sokongan sangat membantu."),
    ),
    "ja": (
        ("サポートの返事が遅いです。", "料金が高すぎます。"),
        ("普通です。", "少し動作が遅いですが問題ありません。"),
        ("とても使いやすいです。", "対応が早くて助かります。"),
    ),
}

# Raw wording and the reason it stands for: the reference `churn_reasons`.
CHURN_WORDINGS: tuple[tuple[str, str], ...] = (
    ("too expensive", "price"),
    ("price increase", "price"),
    ("Zu teuer", "price"),
    ("יקר מדי", "price"),
    ("السعر مرتفع", "price"),
    ("harga terlalu mahal", "price"),
    ("missing features", "product"),
    ("bugs", "product"),
    ("hard to use", "product"),
    ("חסרות תכונות", "product"),
    ("ميزات ناقصة", "product"),
    ("kurang ciri", "product"),
    ("poor support", "service"),
    ("slow support", "service"),
    ("שירות גרוע", "service"),
    ("خدمة سيئة", "service"),
    ("khidmat lemah", "service"),
    ("technical problem", "product"),
    ("complaint about service", "service"),
    ("switched to competitor", "competitor"),
    ("עברנו למתחרה", "competitor"),
    ("انتقلنا إلى منافس", "competitor"),
    ("beralih kepada pesaing", "competitor"),
    ("Acme Cloud", "competitor"),
    ("Rival Suite", "competitor"),
    ("no longer needed", "no_need"),
    ("project ended", "no_need"),
    ("company closed", "no_need"),
    ("לא צריך יותר", "no_need"),
    ("لم نعد بحاجة", "no_need"),
    ("tidak diperlukan lagi", "no_need"),
    ("no budget", "no_budget"),
    ("budget cut", "no_budget"),
    ("אין תקציב", "no_budget"),
    ("لا توجد ميزانية", "no_budget"),
    ("tiada bajet", "no_budget"),
    ("no decision", "no_decision"),
    ("went silent", "no_decision"),
    ("לא התקבלה החלטה", "no_decision"),
    ("لم يتخذ قرار", "no_decision"),
    ("tiada keputusan", "no_decision"),
    ("payment failed", "payment"),
    ("card expired", "payment"),
    ("billing question", "payment"),
    ("התשלום נכשל", "payment"),
    ("فشل الدفع", "payment"),
    ("bayaran gagal", "payment"),
    ("other", "other"),
    ("merged with another company", "other"),
)
# Wordings that the reference does not know: they become the reason `other`.
UNMAPPED_WORDINGS = ("moved to spreadsheets", "שינוי ארגוני", "تغيير الإدارة", "pertukaran pengurusan")
TICKET_CATEGORIES = (
    "technical problem",
    "billing question",
    "how to",
    "complaint about service",
    "feature request",
)
TICKET_PRIORITIES = ("low", "normal", "high", "urgent")
COMPETITORS = ("Acme Cloud", "Rival Suite", "Homegrown tool")

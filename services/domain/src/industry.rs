//! The branches that industry departments supervise (CQ5), and that a resident may name in their profile.

crate::words! {
    /// A branch with a supervising department of its own.
    pub enum Industry {
        /// 教育: schools, kindergartens, universities.
        Education,
        /// 交通: public transport, freight, taxis, airports, stations.
        Transport,
        /// 卫生健康: hospitals and clinics.
        Health,
        /// 商务: malls, supermarkets, markets, cold chain.
        Commerce,
        /// 餐饮: food and drink.
        Catering,
        /// 文化旅游: hotels, sights, cinemas.
        CultureTourism,
        /// 民政: homes for the old, welfare.
        CivilAffairs,
        /// 住房建设: building sites, property management.
        Construction,
        /// 工业: factories.
        Manufacturing,
        /// 农业: farms, slaughter.
        Agriculture,
        /// 邮政快递: post and couriers.
        Postal,
        /// 公共服务: authorities, water, power, banks.
        PublicService,
    }
}

"""Content types by file extension, as data: made from mime-db 1.52.0 by docs/generate_mime.py; :mod:`requite.wire.mime` reads it.

What stands after the prefix of a group is ``rest:extension,extension``; an extension that is empty is spelled like the rest.
"""

from __future__ import annotations

GROUPS = {
    'application/vnd.ms-': """
artgalry:cil cab-compressed:cab excel:xla,xlc,xlm,xls,xlt,xlw excel.addin.macroenabled.12:xlam
excel.sheet.binary.macroenabled.12:xlsb excel.sheet.macroenabled.12:xlsm excel.template.macroenabled.12:xltm
fontobject:eot htmlhelp:chm ims: lrm: officetheme:thmx outlook:msg pki.seccat:cat powerpoint:pot,pps,ppt
powerpoint.addin.macroenabled.12:ppam powerpoint.presentation.macroenabled.12:pptm powerpoint.slide.macroenabled.12:sldm
powerpoint.slideshow.macroenabled.12:ppsm powerpoint.template.macroenabled.12:potm project:mpt
word.document.macroenabled.12:docm word.template.macroenabled.12:dotm works:wcm,wdb,wks,wps wpl: xpsdocument:xps
""",
    'application/vnd.': """
1000minds.decision-model+xml:1km 3gpp.pic-bw-large:plb 3gpp.pic-bw-small:psb 3gpp.pic-bw-var:pvb 3gpp2.tcap:tcap
3m.post-it-notes:pwn accpac.simply.aso:aso accpac.simply.imp:imp acucobol:acu acucorp:acutc,atc
adobe.air-application-installer-package+zip:air adobe.formscentral.fcdt:fcdt adobe.fxp:fxp,fxpl adobe.xdp+xml:xdp
adobe.xfdf:xfdf age: ahead.space:ahead airzip.filesecure.azf:azf airzip.filesecure.azs:azs amazon.ebook:azw
americandynamics.acc:acc amiga.ami:ami android.package-archive:apk anser-web-certificate-issue-initiation:cii
anser-web-funds-transfer-initiation:fti antix.game-component:atx apple.installer+xml:mpkg apple.keynote:key
apple.mpegurl:m3u8 apple.numbers:numbers apple.pages:pages apple.pkpass:pkpass aristanetworks.swi:swi
astraea-software.iota:iota audiograph:aep balsamiq.bmml+xml:bmml blueice.multipass:mpm bmi: businessobjects:rep
chemdraw+xml:cdxml chipnuts.karaoke-mmd:mmd cinderella:cdy citationstyles.style+xml:csl claymore:cla cloanto.rp9:rp9
clonk.c4group:c4d,c4f,c4g,c4p,c4u cluetrust.cartomobile-config:c11amc cluetrust.cartomobile-config-pkg:c11amz
commonspace:csp contact.cmsg:cdbcmsg cosmocaller:cmc crick.clicker:clkx crick.clicker.keyboard:clkk
crick.clicker.palette:clkp crick.clicker.template:clkt crick.clicker.wordbank:clkw criticaltools.wbs+xml:wbs
ctc-posml:pml cups-ppd:ppd curl.car:car curl.pcurl:pcurl dart: data-vision.rdz:rdz dbf: dece.data:uvd,uvf,uvvd,uvvf
dece.ttml+xml:uvt,uvvt dece.unspecified:uvvx,uvx dece.zip:uvvz,uvz denovo.fcselayout-link:fe_launch dna: dolby.mlp:mlp
dpgraph:dpg dreamfactory:dfac ds-keypoint:kpxx dvb.ait:ait dvb.service:svc dynageo:geo ecowin.chart:mag enliven:nml
epson.esf:esf epson.msf:msf epson.quickanime:qam epson.salt:slt epson.ssf:ssf eszigno3+xml:es3,et3 ezpix-album:ez2
ezpix-package:ez3 fdf: fdsn.mseed:mseed fdsn.seed:dataless,seed flographit:gph fluxtime.clip:ftc
framemaker:book,fm,frame,maker frogans.fnc:fnc frogans.ltf:ltf fsc.weblaunch:fsc fujitsu.oasys:oas fujitsu.oasys2:oa2
fujitsu.oasys3:oa3 fujitsu.oasysgp:fg5 fujitsu.oasysprs:bh2 fujixerox.ddd:ddd fujixerox.docuworks:xdw
fujixerox.docuworks.binder:xbd fuzzysheet:fzs genomatix.tuxedo:txd geogebra.file:ggb geogebra.tool:ggt
geometry-explorer:gex,gre geonext:gxt geoplan:g2w geospace:g3w gmx: google-apps.document:gdoc
google-apps.presentation:gslides google-apps.spreadsheet:gsheet google-earth.kml+xml:kml google-earth.kmz:kmz
grafeq:gqf,gqs groove-account:gac groove-help:ghf groove-identity-message:gim groove-injector:grv
groove-tool-message:gtm groove-tool-template:tpl groove-vcard:vcg hal+xml:hal handheld-entertainment+xml:zmm hbci:
hhe.lesson-player:les hp-hpgl:hpgl hp-hpid:hpid hp-hps:hps hp-jlyt:jlt hp-pcl:pcl hp-pclxl:pclxl
hydrostatix.sof-data:sfd-hdstx ibm.minipay:mpy ibm.modcap:afp,list3820,listafp ibm.rights-management:irm
ibm.secure-container:sc iccprofile:icc,icm igloader:igl immervision-ivp:ivp immervision-ivu:ivu insors.igm:igm
intercon.formnet:xpw,xpx intergeo:i2g intu.qbo:qbo intu.qfx:qfx ipunplugged.rcprofile:rcprofile
irepository.package+xml:irp is-xpr:xpr isac.fcs:fcs jam: jcp.javame.midlet-rms:rms jisp: joost.joda-archive:joda
kahootz:ktr,ktz kde.karbon:karbon kde.kchart:chrt kde.kformula:kfo kde.kivio:flw kde.kontour:kon kde.kpresenter:kpr,kpt
kde.kspread:ksp kde.kword:kwd,kwt kenameaapp:htke kidspiration:kia kinar:kne,knp koan:skd,skm,skp,skt
kodak-descriptor:sse las.las+xml:lasxml llamagraphics.life-balance.desktop:lbd
llamagraphics.life-balance.exchange+xml:lbe lotus-1-2-3:123 lotus-approach:apr lotus-freelance:pre lotus-notes:nsf
lotus-organizer:org lotus-screencam:scm lotus-wordpro:lwp macports.portpkg:portpkg mapbox-vector-tile:mvt mcd:
medcalcdata:mc1 mediastation.cdkey:cdkey mfer:mwf mfmp:mfm micrografx.flo:flo micrografx.igx:igx mif: mobius.daf:daf
mobius.dis:dis mobius.mbk:mbk mobius.mqy:mqy mobius.msl:msl mobius.plc:plc mobius.txf:txf mophun.application:mpn
mophun.certificate:mpc mozilla.xul+xml:xul mseq: musician:mus muvee.style:msty mynfc:taglet neurolanguage.nlu:nlu
nitf:,ntf noblenet-directory:nnd noblenet-sealer:nns noblenet-web:nnw nokia.n-gage.data:ngdat
nokia.n-gage.symbian.install:n-gage nokia.radio-preset:rpst nokia.radio-presets:rpss novadigm.edm:edm novadigm.edx:edx
novadigm.ext:ext oasis.opendocument.chart:odc oasis.opendocument.chart-template:otc oasis.opendocument.database:odb
oasis.opendocument.formula:odf oasis.opendocument.formula-template:odft oasis.opendocument.graphics:odg
oasis.opendocument.graphics-template:otg oasis.opendocument.image:odi oasis.opendocument.image-template:oti
oasis.opendocument.presentation:odp oasis.opendocument.presentation-template:otp oasis.opendocument.spreadsheet:ods
oasis.opendocument.spreadsheet-template:ots oasis.opendocument.text:odt oasis.opendocument.text-master:odm
oasis.opendocument.text-template:ott oasis.opendocument.text-web:oth olpc-sugar:xo oma.dd2+xml:dd2
openblox.game+xml:obgx openofficeorg.extension:oxt openstreetmap.data+xml:osm
openxmlformats-officedocument.presentationml.presentation:pptx openxmlformats-officedocument.presentationml.slide:sldx
openxmlformats-officedocument.presentationml.slideshow:ppsx openxmlformats-officedocument.presentationml.template:potx
openxmlformats-officedocument.spreadsheetml.sheet:xlsx openxmlformats-officedocument.spreadsheetml.template:xltx
openxmlformats-officedocument.wordprocessingml.document:docx
openxmlformats-officedocument.wordprocessingml.template:dotx osgeo.mapguide.package:mgp osgi.dp:dp osgi.subsystem:esa
palm:oprc,pdb,pqa pawaafile:paw pg.format:str pg.osasli:ei6 picsel:efif pmi.widget:wg pocketlearn:plf powerbuilder6:pbd
previewsystems.box:box proteus.magazine:mgz publishare-delta-tree:qps pvi.ptid1:ptid
quark.quarkxpress:qwd,qwt,qxb,qxd,qxl,qxt rar: realvnc.bed:bed recordare.musicxml:mxl recordare.musicxml+xml:musicxml
rig.cryptonote:cryptonote rim.cod:cod rn-realmedia:rm rn-realmedia-vbr:rmvb route66.link66+xml:link66
sailingtracker.track:st seemail:see sema: semd: semf: shana.informed.formdata:ifm shana.informed.formtemplate:itp
shana.informed.interchange:iif shana.informed.package:ipk simtech-mindmapper:twd,twds smaf:mmf smart.teacher:teacher
software602.filler.form+xml:fo solent.sdkm+xml:sdkd,sdkm spotfire.dxp:dxp spotfire.sfs:sfs stardivision.calc:sdc
stardivision.draw:sda stardivision.impress:sdd stardivision.math:smf stardivision.writer:sdw,vor
stardivision.writer-global:sgl stepmania.package:smzip stepmania.stepchart:sm sun.wadl+xml:wadl sun.xml.calc:sxc
sun.xml.calc.template:stc sun.xml.draw:sxd sun.xml.draw.template:std sun.xml.impress:sxi sun.xml.impress.template:sti
sun.xml.math:sxm sun.xml.writer:sxw sun.xml.writer.global:sxg sun.xml.writer.template:stw sus-calendar:sus,susp svd:
symbian.install:sis,sisx syncml+xml:xsm syncml.dm+wbxml:bdm syncml.dm+xml:xdm syncml.dmddf+xml:ddf
tao.intent-module-archive:tao tcpdump.pcap:cap,dmp,pcap tmobile-livetv:tmo trid.tpt:tpt triscape.mxs:mxs trueapp:tra
ufdl:ufd, uiq.theme:utz umajin:umj unity:unityweb uoml+xml:uoml vcx: visio:vsd,vss,vst,vsw visionary:vis vsf:
wap.wbxml:wbxml wap.wmlc:wmlc wap.wmlscriptc:wmlsc webturbo:wtb wolfram.player:nbp wordperfect:wpd wqd: wt.stf:stf
xara:xar xfdl: yamaha.hv-dic:hvd yamaha.hv-script:hvs yamaha.hv-voice:hvp yamaha.openscoreformat:osf
yamaha.openscoreformat.osfpvg+xml:osfpvg yamaha.smaf-audio:saf yamaha.smaf-phrase:spf yellowriver-custom-menu:cmp
zul:zir,zirz zzazz.deck+xml:zaz
""",
    'application/x-': """
7z-compressed:7z abiword:abw ace-compressed:ace apple-diskimage:dmg arj: authorware-bin:aab,u32,vox,x32
authorware-map:aam authorware-seg:aas bcpio: bittorrent:torrent blorb:blb, bzip:bz bzip2:boz,bz2 cbr:cb7,cba,,cbt,cbz
cdlink:vcd cfs-compressed:cfs chat: chess-pgn:pgn chrome-extension:crx cocoa:cco conference:nsc cpio: csh:
debian-package:deb,udeb dgc-compressed:dgc director:cct,cst,cxt,dcr,dir,dxr,fgd,swa,w3d doom:wad dtbncx+xml:ncx
dtbook+xml:dtb dtbresource+xml:res dvi: envoy:evy eva: font-bdf:bdf font-ghostscript:gsf font-linux-psf:psf font-pcf:pcf
font-snf:snf font-type1:afm,pfa,pfb,pfm freearc:arc futuresplash:spl gca-compressed:gca glulx:ulx gnumeric:
gramps-xml:gramps gtar: hdf: httpd-php:php install-instructions:install iso9660-image:iso java-archive-diff:jardiff
java-jnlp-file:jnlp keepass2:kdbx latex: lua-bytecode:luac lzh-compressed:lha,lzh makeself:run mie:
mobipocket-ebook:mobi,prc ms-application:application ms-shortcut:lnk ms-wmd:wmd ms-wmz:wmz ms-xbap:xbap msaccess:mdb
msbinder:obd mscardfile:crd msclip:clp msdos-program:exe msdownload:bat,com,dll,msi msmediaview:m13,m14,mvb
msmetafile:emz msmoney:mny mspublisher:pub msschedule:scd msterminal:trm mswrite:wri netcdf:cdf,nc
ns-proxy-autoconfig:pac nzb: perl:pl,pm pkcs12:p12,pfx pkcs7-certificates:p7b,spc pkcs7-certreqresp:p7r
redhat-package-manager:rpm research-info-systems:ris sea: sh: shar: shockwave-flash:swf silverlight-app:xap sql:
stuffit:sit stuffitx:sitx subrip:srt sv4cpio: sv4crc: t3vm-image:t3 tads:gam tar: tcl:,tk tex: tex-tfm:tfm texinfo:texi,
ustar: virtualbox-hdd:hdd virtualbox-ova:ova virtualbox-ovf:ovf virtualbox-vbox:vbox
virtualbox-vbox-extpack:vbox-extpack virtualbox-vdi:vdi virtualbox-vhd:vhd virtualbox-vmdk:vmdk wais-source:src
web-app-manifest+json:webapp x509-ca-cert:crt,der,pem xfig:fig xpinstall:xpi xz: zmachine:z1,z2,z3,z4,z5,z6,z7,z8
""",
    'application/': """
andrew-inset:ez applixware:aw atom+xml:atom atomcat+xml:atomcat atomdeleted+xml:atomdeleted atomsvc+xml:atomsvc
atsc-dwd+xml:dwd atsc-held+xml:held atsc-rsat+xml:rsat bdoc: calendar+xml:xcs ccxml+xml:ccxml cdfx+xml:cdfx
cdmi-capability:cdmia cdmi-container:cdmic cdmi-domain:cdmid cdmi-object:cdmio cdmi-queue:cdmiq cpl+xml:cpl cu-seeme:cu
dash+xml:mpd dash-patch+xml:mpp davmount+xml:davmount docbook+xml:dbk dssc+der:dssc dssc+xml:xdssc ecmascript:ecma,es
emma+xml:emma emotionml+xml:emotionml epub+zip:epub exi: express:exp fdt+xml:fdt font-tdpfr:pfr geo+json:geojson
gml+xml:gml gpx+xml:gpx gxf: gzip:gz hjson: hyperstudio:stk inkml+xml:ink,inkml ipfix: its+xml:its
java-archive:ear,jar,war java-serialized-object:ser java-vm:class javascript:js,mjs json:,map json5: jsonml+json:jsonml
ld+json:jsonld lgr+xml:lgr lost+xml:lostxml mac-binhex40:hqx mac-compactpro:cpt mads+xml:mads manifest+json:webmanifest
marc:mrc marcxml+xml:mrcx mathematica:ma,mb,nb mathml+xml:mathml mbox: media-policy-dataset+xml:mpf
mediaservercontrol+xml:mscml metalink+xml:metalink metalink4+xml:meta4 mets+xml:mets mmt-aei+xml:maei mmt-usd+xml:musd
mods+xml:mods mp21:m21, mp4:m4p,mp4s msword:doc,dot mxf: n-quads:nq n-triples:nt node:cjs
octet-stream:bin,bpk,buffer,deploy,dist,distz,dms,dump,elc,img,lrf,mar,msm,msp,pkg,so oda: oebps-package+xml:opf ogg:ogx
omdoc+xml:omdoc onenote:onepkg,onetmp,onetoc,onetoc2 oxps: p2p-overlay+xml:relo patch-ops-error+xml:xer pdf:
pgp-encrypted:pgp pgp-keys:asc pgp-signature:sig pics-rules:prf pkcs10:p10 pkcs7-mime:p7c,p7m pkcs7-signature:p7s
pkcs8:p8 pkix-attr-cert:ac pkix-cert:cer pkix-crl:crl pkix-pkipath:pkipath pkixcmp:pki pls+xml:pls postscript:ai,eps,ps
provenance+xml:provx prs.cww:cww pskc+xml:pskcxml raml+yaml:raml rdf+xml:owl,rdf reginfo+xml:rif
relax-ng-compact-syntax:rnc resource-lists+xml:rl resource-lists-diff+xml:rld rls-services+xml:rs route-apd+xml:rapd
route-s-tsid+xml:sls route-usd+xml:rusd rpki-ghostbusters:gbr rpki-manifest:mft rpki-roa:roa rsd+xml:rsd rss+xml:rss
rtf: sbml+xml:sbml scvp-cv-request:scq scvp-cv-response:scs scvp-vp-request:spq scvp-vp-response:spp sdp:
senml+xml:senmlx sensml+xml:sensmlx set-payment-initiation:setpay set-registration-initiation:setreg shf+xml:shf
sieve:,siv smil+xml:smi,smil sparql-query:rq sparql-results+xml:srx srgs:gram srgs+xml:grxml sru+xml:sru ssdl+xml:ssdl
ssml+xml:ssml swid+xml:swidtag tei+xml:tei,teicorpus thraud+xml:tfi timestamped-data:tsd toml: trig: ttml+xml:ttml
ubjson:ubj urc-ressheet+xml:rsheet urc-targetdesc+xml:td voicexml+xml:vxml wasm: watcherinfo+xml:wif widget:wgt
winhlp:hlp wsdl+xml:wsdl wspolicy+xml:wspolicy xaml+xml:xaml xcap-att+xml:xav xcap-caps+xml:xca xcap-diff+xml:xdf
xcap-el+xml:xel xcap-ns+xml:xns xenc+xml:xenc xhtml+xml:xht,xhtml xliff+xml:xlf xml:rng,,xsd,xsl xml-dtd:dtd xop+xml:xop
xproc+xml:xpl xslt+xml:xslt xspf+xml:xspf xv+xml:mxml,xhvml,xvm,xvml yang: yin+xml:yin zip:
""",
    'audio/': """
adpcm:adp amr: basic:au,snd midi:kar,mid,,rmi mobile-xmf:mxmf mp4:m4a,mp4a mpeg:m2a,m3a,mp2,mp2a,mp3,mpga
ogg:oga,,opus,spx s3m: silk:sil vnd.dece.audio:uva,uvva vnd.digital-winds:eol vnd.dra:dra vnd.dts:dts vnd.dts.hd:dtshd
vnd.lucent.voice:lvp vnd.ms-playready.media.pya:pya vnd.nuera.ecelp4800:ecelp4800 vnd.nuera.ecelp7470:ecelp7470
vnd.nuera.ecelp9600:ecelp9600 vnd.rip:rip wave:wav webm:weba x-aac:aac x-aiff:aif,aifc,aiff x-caf:caf x-flac:flac
x-matroska:mka x-mpegurl:m3u x-ms-wax:wax x-ms-wma:wma x-pn-realaudio:ra,ram x-pn-realaudio-plugin:rmp xm:
""",
    'image/': """
aces:exr apng: avci: avcs: avif: bmp: cgm: dicom-rle:drle emf: fits: g3fax:g3 gif: heic: heic-sequence:heics heif:
heif-sequence:heifs hej2k:hej2 hsj2: ief: jls: jp2:,jpg2 jpeg:jpe,,jpg jph: jphc:jhc jpm: jpx:jpf, jxr: jxra: jxrs: jxs:
jxsc: jxsi: jxss: ktx: ktx2: png: prs.btif:btif prs.pti:pti sgi: svg+xml:svg,svgz t38: tiff:tif, tiff-fx:tfx
vnd.adobe.photoshop:psd vnd.airzip.accelerator.azv:azv vnd.dece.graphic:uvg,uvi,uvvg,uvvi vnd.djvu:djv,djvu vnd.dwg:dwg
vnd.dxf:dxf vnd.fastbidsheet:fbs vnd.fpx:fpx vnd.fst:fst vnd.fujixerox.edmics-mmr:mmr vnd.fujixerox.edmics-rlc:rlc
vnd.microsoft.icon:ico vnd.ms-dds:dds vnd.ms-modi:mdi vnd.ms-photo:wdp vnd.net-fpx:npx vnd.pco.b16:b16
vnd.tencent.tap:tap vnd.valve.source.texture:vtf vnd.wap.wbmp:wbmp vnd.xiff:xif vnd.zbrush.pcx:pcx webp: wmf: x-3ds:3ds
x-cmu-raster:ras x-cmx:cmx x-freehand:fh,fh4,fh5,fh7,fhc x-jng:jng x-mrsid-image:sid x-pict:pct,pic
x-portable-anymap:pnm x-portable-bitmap:pbm x-portable-graymap:pgm x-portable-pixmap:ppm x-rgb:rgb x-tga:tga
x-xbitmap:xbm x-xpixmap:xpm x-xwindowdump:xwd
""",
    'text/': """
cache-manifest:appcache,manifest calendar:ics,ifb coffeescript:coffee,litcoffee css: csv: html:htm,,shtml jade: jsx:
less: markdown:,md mathml:mml mdx: n3: plain:conf,def,in,ini,list,log,text,txt prs.lines.tag:dsc richtext:rtx sgml:sgm,
shex: slim:,slm spdx: stylus:styl, tab-separated-values:tsv troff:man,me,ms,roff,t,tr turtle:ttl uri-list:uri,uris,urls
vcard: vnd.curl:curl vnd.curl.dcurl:dcurl vnd.curl.mcurl:mcurl vnd.curl.scurl:scurl vnd.dvb.subtitle:sub
vnd.familysearch.gedcom:ged vnd.fly:fly vnd.fmi.flexstor:flx vnd.graphviz:gv vnd.in3d.3dml:3dml vnd.in3d.spot:spot
vnd.sun.j2me.app-descriptor:jad vnd.wap.wml:wml vnd.wap.wmlscript:wmls vtt: x-asm:asm,s x-c:c,cc,cpp,cxx,dic,h,hh
x-component:htc x-fortran:f,f77,f90,for x-handlebars-template:hbs x-java-source:java x-lua:lua x-markdown:mkd x-nfo:nfo
x-opml:opml x-pascal:p,pas x-processing:pde x-sass:sass x-scss:scss x-setext:etx x-sfv:sfv x-suse-ymp:ymp x-uuencode:uu
x-vcalendar:vcs x-vcard:vcf yaml:,yml
""",
    'video/': """
3gpp:3gp, 3gpp2:3g2 h261: h263: h264: iso.segment:m4s jpeg:jpgv jpm:jpgm mj2:,mjp2 mp2t:ts mp4:,mp4v,mpg4
mpeg:m1v,m2v,mpe,,mpg ogg:ogv quicktime:mov,qt vnd.dece.hd:uvh,uvvh vnd.dece.mobile:uvm,uvvm vnd.dece.pd:uvp,uvvp
vnd.dece.sd:uvs,uvvs vnd.dece.video:uvv,uvvv vnd.dvb.file:dvb vnd.fvt:fvt vnd.mpegurl:m4u,mxu
vnd.ms-playready.media.pyv:pyv vnd.uvvu.mp4:uvu,uvvu vnd.vivo:viv webm: x-f4v:f4v x-fli:fli x-flv:flv x-m4v:m4v
x-matroska:mk3d,mks,mkv x-mng:mng x-ms-asf:asf,asx x-ms-vob:vob x-ms-wm:wm x-ms-wmv:wmv x-ms-wmx:wmx x-ms-wvx:wvx
x-msvideo:avi x-sgi-movie:movie x-smv:smv
""",
    '': """
chemical/x-cdx:cdx chemical/x-cif:cif chemical/x-cmdf:cmdf chemical/x-cml:cml chemical/x-csml:csml chemical/x-xyz:xyz
font/collection:ttc font/otf:otf font/ttf:ttf font/woff:woff font/woff2:woff2
message/disposition-notification:disposition-notification message/global:u8msg message/global-delivery-status:u8dsn
message/global-disposition-notification:u8mdn message/global-headers:u8hdr message/rfc822:eml,mime
message/vnd.wfa.wsc:wsc model/3mf:3mf model/gltf+json:gltf model/gltf-binary:glb model/iges:iges,igs
model/mesh:mesh,msh,silo model/mtl:mtl model/obj:obj model/step+xml:stpx model/step+zip:stpz model/step-xml+zip:stpxz
model/stl:stl model/vnd.collada+xml:dae model/vnd.dwf:dwf model/vnd.gdl:gdl model/vnd.gtw:gtw model/vnd.mts:mts
model/vnd.opengex:ogex model/vnd.parasolid.transmit.binary:x_b model/vnd.parasolid.transmit.text:x_t
model/vnd.sap.vds:vds model/vnd.usdz+zip:usdz model/vnd.valve.source.compiled-map:bsp model/vnd.vtu:vtu
model/vrml:vrml,wrl model/x3d+binary:x3dbz model/x3d+fastinfoset:x3db model/x3d+vrml:x3dvz model/x3d+xml:x3d,x3dz
model/x3d-vrml:x3dv x-conference/x-cooltalk:ice
""",
}

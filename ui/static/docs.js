// Shows the API's description with swagger-ui. Nothing is loaded from
// elsewhere: the validator, which would be, is off.
const place = document.getElementById("swagger-ui");
if (place && window.SwaggerUIBundle) {
  window.SwaggerUIBundle({
    url: place.dataset.spec,
    domNode: place,
    deepLinking: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      // A session cookie alone does not let a change in.
      request.headers["X-VWMP-Request"] = "1";
      return request;
    },
  });
}
